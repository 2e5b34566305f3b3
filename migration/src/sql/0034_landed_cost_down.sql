DROP TRIGGER stock_entry_bears_nothing ON stock_entry;
DROP FUNCTION stock_recost, stock_book_post;
DELETE FROM stock_account WHERE role = 'landed_cost';
ALTER TABLE stock_account DROP CONSTRAINT stock_account_role_check;
ALTER TABLE stock_account ADD CONSTRAINT stock_account_role_check
    CHECK (role IN ('inventory', 'goods_received', 'cost_of_goods_sold', 'stock_found', 'stock_lost', 'production', 'opening'));
ALTER TABLE stock_recosting DROP COLUMN items, DROP COLUMN till, DROP COLUMN landed_cost_id;
DROP TABLE stock_landed_value, stock_landed_cost_line, stock_landed_cost;
DROP FUNCTION stock_landed_cost_mark, stock_landed_cost_complete, stock_entry_bears_nothing;
