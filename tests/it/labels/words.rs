//! What people read on labels, in both languages.

use serde_json::json;
use tests::{
    app::TestApp,
    paper::{fonts, texts},
};

use super::{Shop, input};

#[tokio::test(flavor = "multi_thread")]
async fn a_jewellers_tag_tells_what_is_known_of_the_metal() {
    let shop = Shop::open().await;
    let metal = json!({
        "metal": "GOLD", "fineness": "18K", "grossWeight": "4.250", "netWeight": "3.9", "stoneWeight": "0.35", "huid": "AB12CD"
    });
    let ring = shop.ring("1-A", "", json!({"metal": metal})).await;
    let tag = |locale: &str| input(&[&ring], json!({"kind": "JEWELLERY_TAG", "locale": locale}));
    let english = texts(&shop.printed(tag("EN")).await).remove(0);
    for seen in [
        "1-A",
        "Ring",
        "Gross 4.25 g · Net 3.9 g",
        "Stone 0.35 g · Fineness 750",
        "HUID AB12CD",
    ] {
        assert!(english.contains(seen), "{seen} in {english}");
    }
    let file = shop.printed(tag("FA")).await;
    let persian = texts(&file).remove(0);
    // Words and numbers are there as they are read, whatever their direction; the SKU is not turned around. (Between words and numbers
    // of both directions Poppler guesses where the blanks are, and it is not asked for them.)
    for seen in [
        "1-A",
        "انگشتر",
        "وزن کل",
        "۴٫۲۵",
        "خالص",
        "۳٫۹",
        "سنگ",
        "۰٫۳۵",
        "گرم",
        "عیار",
        "۷۵۰",
        "کد شناسایی AB12CD",
    ] {
        assert!(persian.contains(seen), "{seen} in {persian}");
    }
    // The typeface is in the file, the part that is used, and says which letters its glyphs stand for.
    let fonts = fonts(&file);
    assert!(
        fonts
            .iter()
            .all(|font| font.contains("Vazirmatn") && font.contains("yes yes yes")),
        "{fonts:?}"
    );
    assert!(file.len() < 30_000, "{} bytes", file.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_speak_the_viewers_language_unless_another_is_wanted() {
    let shop = Shop::open().await;
    let ring = shop.ring("RING-1", "4006381333931", json!({})).await;
    let text = texts(&shop.printed(input(&[&ring], json!({"code": "QR"}))).await).remove(0);
    for seen in ["Ring", "12,500,000 IRR", "RING-1"] {
        assert!(text.contains(seen), "{seen} in {text}");
    }
    let text = texts(&shop.printed(input(&[&ring], json!({"locale": "FA"}))).await).remove(0);
    for seen in ["انگشتر", "۱۲٬۵۰۰٬۰۰۰", "ریال", "4006381333931"] {
        assert!(text.contains(seen), "{seen} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_has_no_room_is_cut_and_says_so() {
    let shop = Shop::open().await;
    let long = "انگشتر طلای هجده عیار با نگین فیروزهٔ نیشابوری ".repeat(4);
    let name = json!([{"language": "fa", "text": long.trim()}, {"language": "en", "text": "W".repeat(200)}]);
    let ring = shop.ring("RING-1", "", json!({"name": name})).await;
    for kind in ["JEWELLERY_TAG", "SHELF", "CARTON"] {
        for (locale, begins) in [("FA", "انگشتر"), ("EN", "WWWW")] {
            let more = json!({"kind": kind, "locale": locale});
            let text = texts(&shop.printed(input(&[&ring], more)).await).remove(0);
            assert!(
                text.contains(begins) && text.contains('…'),
                "{kind}: {text}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_put_away_meanwhile_is_left_out_and_told() {
    let shop = Shop::of(TestApp::start().await).await;
    let stays = shop.ring("STAYS", "A", json!({})).await;
    let goes = shop.ring("GOES", "B", json!({})).await;
    let both = shop
        .ask(input(&[&stays, &goes], json!({"locale": "EN"})))
        .await;
    let none = shop.ask(input(&[&goes], json!({"locale": "FA"}))).await;
    shop.manager.done("itemArchive", json!({"id": goes})).await;
    let _worker = shop.app.worker();
    let files = shop.files(&shop.manager, &both).await;
    let names: Vec<_> = files.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["labels-a4-l7160.pdf", "notes.txt"]);
    let told = String::from_utf8(files[1].2.clone()).unwrap();
    assert_eq!(told, "GOES: no label, because it is archived.\n");
    assert!(!texts(&files[0].2)[0].contains("GOES"));
    let files = shop.files(&shop.manager, &none).await;
    assert_eq!(files.len(), 1, "no empty sheet is made");
    let told = String::from_utf8(files[0].2.clone()).unwrap();
    assert!(told.contains("بایگانی") && told.contains("GOES"), "{told}");
}
