//! Files that are not taken: each is refused with a stable code, and leaves nothing behind.

use chrono::TimeDelta;
use domain::Permission;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use tests::{
    actor::{Actor, File},
    answer::Answer,
    app::TestApp,
    picture::{IMAGE_UPLOAD, enormous_png, landscape, small},
    shop::document,
};

use super::{ring, stored};

/// Whatever an upload could leave behind in the database.
const TRACES: &str = "SELECT (SELECT count(*) FROM item_image) + (SELECT count(*) FROM job WHERE kind = 'item.render_image')
    + (SELECT count(*) FROM audit WHERE action = 'item.attach_image') + (SELECT count(*) FROM event WHERE payload->>'action' = 'item.attach_image')";

async fn assert_untouched(app: &TestApp) {
    assert_eq!(stored(app, "original"), Vec::<std::path::PathBuf>::new());
    assert_eq!(app.count(TRACES).await, 0);
}

/// The photograph with so many bytes behind its end, as some cameras leave them.
fn padded(bytes: usize) -> Vec<u8> {
    let mut photo = small(7);
    photo.resize(bytes, 0);
    photo
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_picture_is_refused_by_its_content() {
    let app = TestApp::start().await;
    let (manager, item) = ring(&app).await;
    let photo = landscape(1);
    let files: [(&str, Vec<u8>, &str); 8] = [
        (
            "text.jpg",
            b"I am a picture, believe me.".to_vec(),
            "UNSUPPORTED_TYPE",
        ),
        ("empty.jpg", Vec::new(), "UNSUPPORTED_TYPE"),
        (
            "drawing.svg",
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec(),
            "UNSUPPORTED_TYPE",
        ),
        ("cut.jpg", photo[..photo.len() / 2].to_vec(), "UNREADABLE"),
        ("start.jpg", photo[..20].to_vec(), "UNREADABLE"),
        (
            "bomb.png",
            enormous_png(50_000, 50_000),
            "DIMENSIONS_TOO_LARGE",
        ),
        ("line.png", enormous_png(20_000, 1), "DIMENSIONS_TOO_LARGE"),
        ("nothing.png", enormous_png(0, 0), "UNREADABLE"),
    ];
    for (name, bytes, code) in files {
        let refused = manager.upload_picture(&item, name, bytes).await;
        assert_eq!(refused.status, 200, "{name}");
        assert_eq!(
            refused.refused(),
            [(code.to_owned(), "file".to_owned())],
            "{name}"
        );
        assert!(
            refused.data["itemImageUpload"]["image"].is_null()
                && refused.data["itemImageUpload"]["job"].is_null()
        );
    }
    assert_untouched(&app).await;
    // What the client calls the file matters as little as what it says it is.
    let file = File {
        bytes: small(1),
        name: "../../etc/passwd.exe".to_owned(),
        content_type: "application/x-msdownload".to_owned(),
    };
    let taken = manager
        .upload(IMAGE_UPLOAD, json!({"input": {"itemId": item}}), file)
        .await
        .ok();
    assert_eq!(taken["itemImageUpload"]["image"]["mediaType"], "image/jpeg");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_beyond_the_limit_is_refused() {
    let app = TestApp::builder()
        .set("GOLDSHOP_HTTP__UPLOAD_LIMIT_BYTES", 32 << 20)
        .start()
        .await;
    let (manager, item) = ring(&app).await;
    let limit = usize::try_from(app.config().image.max_bytes).unwrap();
    // More than a picture may have: refused with an explanation.
    for length in [limit + 1, 21 << 20] {
        let refused = manager
            .upload_picture(&item, "large.jpg", padded(length))
            .await;
        assert_eq!(
            refused.refused(),
            [("TOO_LARGE".to_owned(), "file".to_owned())]
        );
    }
    // More than a request may have: cut off while it arrives, in one file as in several.
    let refused = manager
        .upload_picture(&item, "huge.jpg", padded(60 << 20))
        .await;
    assert_eq!((refused.status, refused.codes()), (413, vec!["TOO_LARGE"]));
    let refused = four_files(&manager, &item, padded(15 << 20)).await;
    assert_eq!((refused.status, refused.codes()), (413, vec!["TOO_LARGE"]));
    assert_untouched(&app).await;
    manager.picture(&item, padded(limit)).await;
}

/// One request with the same file four times.
async fn four_files(actor: &Actor, item: &str, bytes: Vec<u8>) -> Answer {
    let names = ["a", "b", "c", "d"];
    let fields = names
        .map(|name| format!("{name}: itemImageUpload(input: ${name}) {{ userErrors {{ code }} }}"));
    let parameters = names.map(|name| format!("${name}: ItemImageUploadInput!"));
    let document = format!(
        "mutation({}) {{ {} }}",
        parameters.join(", "),
        fields.join(" ")
    );
    let input = json!({"itemId": item, "file": null});
    let variables = json!({"a": input, "b": input, "c": input, "d": input});
    let map = json!({"0": ["variables.a.file"], "1": ["variables.b.file"], "2": ["variables.c.file"], "3": ["variables.d.file"]});
    let mut form = Form::new()
        .text(
            "operations",
            json!({"query": document, "variables": variables}).to_string(),
        )
        .text("map", map.to_string());
    for part in ["0", "1", "2", "3"] {
        form = form.part(part, Part::bytes(bytes.clone()).file_name("photo.jpg"));
    }
    let request = actor
        .post()
        .header("graphql-preflight", "1")
        .multipart(form);
    actor.send(request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_sixty_megabytes_that_is_no_upload_is_refused() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let body =
        json!({"query": "{ me { user { id } } }", "variables": {"padding": "x".repeat(60 << 20)}});
    let refused = manager.send(manager.post().json(&body)).await.unwrap();
    assert_eq!((refused.status, refused.codes()), (413, vec!["TOO_LARGE"]));
    manager.ok("{ me { user { id } } }", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_write_uploads_nothing() {
    let app = TestApp::start().await;
    let (_, item) = ring(&app).await;
    let user = app.user("manager").await;
    let only_read = [Permission::CatalogueRead].into_iter().collect();
    let secret = app.token(&user, Some(only_read), TimeDelta::hours(1)).await;
    let people = [
        (app.anonymous(), 401, "UNAUTHENTICATED"),
        (app.clerk().await, 403, "FORBIDDEN"),
        (app.anonymous().with_token(&secret), 403, "FORBIDDEN"),
    ];
    for (actor, status, code) in people {
        let refused = actor.upload_picture(&item, "photo.jpg", small(1)).await;
        assert_eq!((refused.status, refused.codes()), (status, vec![code]));
    }
    assert_untouched(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_cannot_have_pictures_gets_none() {
    let app = TestApp::start().await;
    let (manager, item) = ring(&app).await;
    let category = manager.category("Chains", None).await;
    let unknown = tests::shop::global_id("Item", "01930000000070008000000000000000");
    for (id, code) in [
        (category.as_str(), "INVALID_FORMAT"),
        ("nonsense", "INVALID_FORMAT"),
        (&unknown, "NOT_FOUND"),
    ] {
        let refused = manager.upload_picture(id, "photo.jpg", small(1)).await;
        assert_eq!(refused.refused(), [(code.to_owned(), "itemId".to_owned())]);
    }
    assert_untouched(&app).await;
    manager.done("itemArchive", json!({"id": item})).await;
    let refused = manager.upload_picture(&item, "photo.jpg", small(1)).await;
    assert_eq!(refused.refused()[0].0, "ARCHIVED");
    assert_eq!(app.count(TRACES).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_breaks_off_leaves_nothing() {
    use tokio::io::AsyncWriteExt;
    let app = TestApp::start().await;
    let (manager, item) = ring(&app).await;
    let address = app.url().trim_start_matches("http://").to_owned();
    let operations =
        json!({"query": IMAGE_UPLOAD, "variables": {"input": {"itemId": item, "file": null}}});
    let photo = landscape(1);
    let start = format!(
        "--X\r\ncontent-disposition: form-data; name=\"operations\"\r\n\r\n{operations}\r\n--X\r\ncontent-disposition: form-data; name=\"map\"\r\n\r\n\
         {{\"0\":[\"variables.input.file\"]}}\r\n--X\r\ncontent-disposition: form-data; name=\"0\"; filename=\"a.jpg\"\r\n\r\n"
    );
    let token = manager.headers()["authorization"].to_str().unwrap();
    let head = format!(
        "POST /api/graphql HTTP/1.1\r\nhost: {address}\r\nauthorization: {token}\r\ngraphql-preflight: 1\r\naccept: application/json\r\n\
         content-type: multipart/form-data; boundary=X\r\ncontent-length: {}\r\n\r\n",
        start.len() + photo.len() + 9
    );
    let mut connection = tokio::net::TcpStream::connect(&address).await.unwrap();
    for piece in [head.as_bytes(), start.as_bytes(), &photo[..photo.len() / 2]] {
        connection.write_all(piece).await.unwrap();
    }
    connection.flush().await.unwrap();
    drop(connection);
    // The server is as well as before, and what came is gone: the same picture is taken as if it came for the first time.
    assert_untouched(&app).await;
    manager.picture(&item, photo).await;
    assert_eq!(stored(&app, "original").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_did_not_come_is_no_file() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING", &category).await;
    let refused = manager
        .not_done(
            "itemImageUpload",
            json!({"itemId": item, "file": "#__graphql_file__:9"}),
        )
        .await;
    assert_eq!(refused, [("REQUIRED".to_owned(), "file".to_owned())]);
    for reference in ["#__graphql_file__:", "#__graphql_file__:x", "photo.jpg"] {
        let answer = manager
            .change(
                "itemImageUpload",
                json!({"itemId": item, "file": reference}),
            )
            .await;
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{reference}");
    }
    let input = format!("{{itemId: \"{item}\", file: \"#__graphql_file__:0\"}}");
    let query = document("itemImageUpload")
        .replace("mutation($input: ItemImageUploadInput!)", "mutation")
        .replace("$input", &input);
    let answer = manager.gql(&query, json!({})).await;
    assert_eq!(
        answer.refused(),
        [("REQUIRED".to_owned(), "file".to_owned())]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_telephones_are_refused_with_what_to_do() {
    let app = TestApp::start().await;
    let (manager, item) = ring(&app).await;
    let persian = app.persian_manager().await;
    let heic = b"\0\0\0\x24ftypheic\0\0\0\0mif1MiHEmiafMiHBheic\0\0\x0e\xa6meta";
    let avif = b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B\0\0\0\xf2meta";
    for (bytes, code, words) in [
        (&heic[..], "HEIC_PICTURE", ["Most Compatible", "JPEG"]),
        (&avif[..], "AVIF_PICTURE", ["AVIF", "WebP"]),
    ] {
        for actor in [&manager, &persian] {
            let refused = actor.upload_picture(&item, "a.jpg", bytes.to_vec()).await;
            assert_eq!(refused.refused(), [(code.to_owned(), "file".to_owned())]);
            let error = &refused.data["itemImageUpload"]["userErrors"][0];
            let message = error["message"].as_str().unwrap();
            assert!(words.iter().all(|word| message.contains(word)), "{message}");
        }
    }
    assert_untouched(&app).await;
}
