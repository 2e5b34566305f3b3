//! Renders pictures with the worker's code, for `scripts/bench/pictures.sh`:
//!
//! ```text
//! renditions all|four AT_ONCE FOLDER FILE...
//! ```
//!
//! Writes what is made of each file into the folder, `four` without the square, and prints the most memory it ever had, in MB.

use std::{
    env,
    error::Error,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use platform::image::{Focus, Limits, Size, render};
use procfs::process::Process;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .ok_or("renditions all|four AT_ONCE FOLDER FILE...")
    };
    let sizes: Vec<Size> = match next()?.as_str() {
        "all" => Size::ALL.to_vec(),
        _ => Size::ALL
            .into_iter()
            .filter(|size| *size != Size::Square)
            .collect(),
    };
    let at_once: usize = next()?.parse()?;
    let folder = PathBuf::from(next()?);
    let files: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    all(&files, at_once, |file| make(file, &folder, &sizes))?;
    let most = Process::myself()?.status()?.vmhwm.unwrap_or_default();
    writeln!(io::stdout(), "{}", most / 1024)?;
    Ok(())
}

/// Some at once, each by a thread, as the worker's queue of pictures has it.
fn all(
    files: &[PathBuf],
    at_once: usize,
    make: impl Fn(&Path) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let taken = AtomicUsize::new(0);
    let work = || {
        while let Some(file) = files.get(taken.fetch_add(1, Ordering::Relaxed)) {
            make(file)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .map_err(|_error| Failure::from("a thread has panicked"))?
        })
    })
}

fn make(file: &Path, folder: &Path, sizes: &[Size]) -> Result<(), Failure> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let rendered = render(
        &fs::read(file)?,
        &Limits::default(),
        sizes,
        Focus::default(),
    )?;
    for one in rendered.renditions {
        let name = format!("{name}-{}.{}", one.size.name(), one.encoding.extension());
        fs::write(folder.join(name), one.bytes)?;
    }
    Ok(())
}
