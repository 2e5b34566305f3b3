//! What was written down outside of the database cannot be taken back inside.

use domain::trail::{Verification, Wrong};
use platform::checkpoint::{PublicKey, SigningKey};

use super::{Shop, system};

#[tokio::test(flavor = "multi_thread")]
async fn seals_that_are_cut_off_are_missed() {
    let shop = Shop::open().await;
    let folder = tempfile::tempdir().unwrap();
    let (secret, file) = (folder.path().join("key"), folder.path().join("checkpoints"));
    let key = SigningKey::create(&secret).unwrap();
    assert!(
        SigningKey::create(&secret).is_err(),
        "a key is not written over"
    );
    let trail = shop.app.domain().trail();
    let append = async || {
        let sealed = trail.last_seal(&system()).await.unwrap().unwrap();
        key.append(&file, &sealed).unwrap();
    };
    append().await;
    shop.manager.category("Others", None).await;
    shop.seal().await;
    append().await;
    let public = PublicKey::read(&folder.path().join("key.pub")).unwrap();
    let checkpoints = public.checkpoints(&file).unwrap();
    assert_eq!(checkpoints.len(), 2);
    let verified = async || {
        let mut state = Verification::default();
        while !state.is_done() {
            trail
                .verify_on(&system(), &mut state, &checkpoints)
                .await
                .unwrap();
        }
        state
    };
    let whole = verified().await;
    assert_eq!((whole.checkpoints, whole.finding), (2, None));
    // The tail of the chain, with all that it was about.
    let last = *checkpoints.keys().next_back().unwrap();
    let before = *checkpoints.keys().next().unwrap();
    shop.behind(
        "trail_seal",
        &format!("DELETE FROM trail_seal WHERE number > {before}"),
    )
    .await
    .unwrap();
    let cut = verified().await;
    let finding = cut.finding.unwrap();
    assert_eq!(
        (finding.wrong, finding.seal),
        (Wrong::CheckpointMismatch, Some(last))
    );
    // Another chain instead of it is not the one that was written down either.
    shop.manager.category("Instead", None).await;
    shop.seal().await;
    let wrong = verified().await.finding.unwrap().wrong;
    // What the old tail was about is in no seal any more.
    assert!(
        matches!(wrong, Wrong::CheckpointMismatch | Wrong::Inserted),
        "{wrong:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_that_somebody_else_has_signed_or_changed_are_none() {
    let shop = Shop::open().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoints");
    let key = SigningKey::create(&folder.path().join("key")).unwrap();
    let other = SigningKey::create(&folder.path().join("other")).unwrap();
    let sealed = shop
        .app
        .domain()
        .trail()
        .last_seal(&system())
        .await
        .unwrap()
        .unwrap();
    key.append(&file, &sealed).unwrap();
    assert!(
        other
            .public()
            .checkpoints(&file)
            .unwrap_err()
            .to_string()
            .contains("not signed")
    );
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace(&format!("\"seal\":{}", sealed.number), "\"seal\":1"),
    )
    .unwrap();
    assert!(key.public().checkpoints(&file).is_err());
}
