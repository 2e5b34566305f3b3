//! The programs that a worker calls: nobody on the machine reads a password among their arguments.

use std::fs;

use tests::{process::Program, wait::until};

use super::*;

/// What everybody can read of a process's children, and of theirs.
fn children(of: u32) -> Vec<(u32, String)> {
    let processes = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let all: Vec<_> = processes
        .filter_map(|id| {
            let status = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            let parent: u32 = status
                .rsplit_once(')')?
                .1
                .split_whitespace()
                .nth(1)?
                .parse()
                .ok()?;
            let line = fs::read(format!("/proc/{id}/cmdline")).ok()?;
            Some((
                parent,
                id,
                String::from_utf8_lossy(&line).replace('\0', " "),
            ))
        })
        .collect();
    let mut found = vec![(of, String::new())];
    let mut at = 0;
    while let Some((parent, _)) = found.get(at).cloned() {
        found.extend(
            all.iter()
                .filter(|(of, ..)| *of == parent)
                .map(|(_, id, line)| (*id, line.clone())),
        );
        at += 1;
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_a_password_among_the_arguments_of_a_program() {
    let shop = Shop::open().await;
    let variables = shop.variables();
    let secrets: Vec<_> = ["DATABASE_BACKUP_URL", "DATABASE_URL", "REDIS_URL"]
        .iter()
        .map(|name| {
            let url: url::Url = variables[*name].parse().unwrap();
            url.password().unwrap().to_owned()
        })
        .collect();
    // As long as the items are locked, `pg_dump` waits; `redis-cli` waits for Redis for some seconds anyway.
    let mut held = shop.app.sql().begin().await.unwrap();
    held.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let mut worker = Program::spawn("worker", &["backup"], &variables);
    let mut met = Vec::new();
    until(LONG, "all of them are at work", async || {
        met.extend(children(worker.id()));
        ["pg_dump", "pg_restore", "redis-cli"]
            .iter()
            .all(|name| met.iter().any(|(_, line)| line.contains(name)))
    })
    .await;
    drop(held);
    while worker.is_running() {
        met.extend(children(worker.id()));
        tokio::task::yield_now().await;
    }
    assert!(worker.ended().await.success());
    let mut variables = variables.clone();
    variables.insert(
        "DATABASE_OWNER_URL".to_owned(),
        database::as_owner(&shop.app.database_url()),
    );
    let (room, backup) = (Room::new().await, shop.backups().remove(0));
    let arguments = [
        &[
            "restore",
            &backup,
            "--part",
            "database",
            "--into",
            room.name(),
        ][..],
        &["verify"][..],
    ];
    for arguments in arguments {
        let mut worker = Program::spawn("worker", arguments, &variables);
        while worker.is_running() {
            met.extend(children(worker.id()));
            tokio::task::yield_now().await;
        }
        assert!(worker.ended().await.success(), "{}", worker.output());
    }
    assert!(
        met.iter()
            .any(|(_, line)| line.contains("pg_restore") && line.contains("--exit-on-error")),
        "{met:?}"
    );
    for secret in secrets {
        let told = met.iter().find(|(_, line)| line.contains(&secret));
        assert!(told.is_none(), "{told:?}");
    }
}

/// The most memory that a process has ever had, in bytes; none when it has ended.
fn peak(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_flat_however_much_there_is() {
    const MOST: u64 = 100 * 1000 * 1000;
    let shop = Shop::open().await;
    let sql = "INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, created_at)
               SELECT 'test', 'test', gen_random_uuid(), 1, jsonb_build_object('text', repeat(md5(n::text), 40)), now()
               FROM generate_series(1, 150000) n";
    shop.app.sql().execute(sql).await.unwrap();
    let file = shop.app.media().join("import/00");
    fs::create_dir_all(&file).unwrap();
    fs::File::create(file.join("large"))
        .unwrap()
        .set_len(200 * 1000 * 1000)
        .unwrap();
    for arguments in [&["backup"][..], &["verify"]] {
        let mut worker = Program::spawn("worker", arguments, &shop.variables());
        let mut most = 0;
        while worker.is_running() {
            most = peak(worker.id()).unwrap_or_default().max(most);
            tokio::task::yield_now().await;
        }
        assert!(worker.ended().await.success(), "{}", worker.output());
        assert!(most > 0 && most < MOST, "{arguments:?} took {most} bytes");
    }
    let folder = shop.app.backups().join(shop.backups().remove(0));
    let rows = manifest(&folder)["facts"]["rows"]["public.event"]
        .as_i64()
        .unwrap();
    assert!(rows >= 150_000);
}
