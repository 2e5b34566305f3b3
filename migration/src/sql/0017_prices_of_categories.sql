-- A page of a category by price walks along an order's index and reads the items of that category only. PostgreSQL answers from an index
-- alone only when it has every column that is asked of, so the price is in it beside what it is ordered by.
DROP INDEX item_price_up, item_price_down;
CREATE INDEX item_price_up ON item (COALESCE(price_amount, 'Infinity'), id) INCLUDE (category_id, price_amount);
CREATE INDEX item_price_down ON item (COALESCE(price_amount, -1), id) INCLUDE (category_id, price_amount);
-- What PostgreSQL knew of these expressions went with the former indexes, and it looks again only when many items have changed.
ANALYZE item;
