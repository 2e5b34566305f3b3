//! Pictures of items: what is made of a photograph, what is refused at the door, and what is stored.

mod focus;
mod photo;
mod refusals;
mod regenerate;
mod storing;

use std::path::{Path, PathBuf};

use tests::app::TestApp;

/// An item to hang pictures on, and the manager who may.
pub(crate) async fn ring(app: &TestApp) -> (tests::actor::Actor, String) {
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    (manager, item)
}

/// All files in this part of the media folder: `original`, `rendition` or `code`.
pub(crate) fn stored(app: &TestApp, part: &str) -> Vec<PathBuf> {
    files(&app.media().join(part))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
