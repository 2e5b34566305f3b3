//! What is kept beside items for searching and for finding duplicates, written with fewer steps.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const SEARCH: &str = include_str!("sql/0012_search.sql");
const VIEWS: &str = include_str!("sql/0014_views.sql");

/// The functions that were replaced, and where they come from.
const FORMER: [(&str, &str); 9] = [
    ("search_fold", SEARCH),
    ("item_search", SEARCH),
    ("item_numbers", SEARCH),
    ("search_number", SEARCH),
    ("search_vocabulary", SEARCH),
    ("item_found_by", SEARCH),
    ("gtin14", VIEWS),
    ("item_looks_like", VIEWS),
    ("name_form", VIEWS),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("sql/0016_cheaper_writes.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let sql = "DROP TRIGGER item_forgotten_deleted ON item; DROP FUNCTION item_forgotten;\
                   ALTER TABLE item_number ADD FOREIGN KEY (item_id) REFERENCES item (id) ON DELETE CASCADE;\
                   ALTER TABLE item_name_form ADD FOREIGN KEY (item_id) REFERENCES item (id) ON DELETE CASCADE;\
                   ALTER TABLE item_barcode ALTER COLUMN barcode TYPE text;\
                   CREATE INDEX item_barcode_prefix ON item_barcode (barcode COLLATE \"C\");\
                   ALTER TABLE item_name_form ADD COLUMN category_id uuid;\
                   UPDATE item_name_form f SET category_id = i.category_id FROM item i WHERE i.id = f.item_id;\
                   ALTER TABLE item_name_form ALTER COLUMN category_id SET NOT NULL;\
                   CREATE INDEX item_name_form_near ON item_name_form (category_id, form, item_id)";
        db.execute_unprepared(sql).await?;
        for (name, script) in FORMER {
            db.execute_unprepared(&former(name, script)?).await?;
        }
        Ok(())
    }
}

/// A function as an earlier script makes it.
fn former(name: &str, script: &str) -> Result<String, DbErr> {
    let head = format!("CREATE FUNCTION {name}(");
    let from = script.find(&head).map(|start| &script[start..]);
    let text = from.and_then(|text| text.find("\n\n").map(|end| &text[..end]));
    let text = text.ok_or_else(|| DbErr::Migration(format!("{name} is in no script")))?;
    Ok(text.replacen("CREATE", "CREATE OR REPLACE", 1))
}
