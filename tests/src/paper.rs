//! What is printed, as people and scanners see it: PDF files go through Poppler onto pixels, drawings through librsvg, and ZBar and rqrr read
//! the codes. None of them shares any code with what draws. `make test` installs those that are programs.

#![expect(
    clippy::expect_used,
    reason = "a page that cannot be read has to fail the test"
)]

use std::{
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// A page in shades of gray.
#[derive(Clone, Debug)]
pub struct Page {
    width: usize,
    luma: Vec<u8>,
}

/// What ZBar has read: the pattern, such as `EAN-13`, and the text.
pub type Scanned = (String, String);

impl Page {
    /// A white page.
    #[must_use]
    pub fn white(width: usize, height: usize) -> Self {
        Self {
            width,
            luma: vec![u8::MAX; width * height],
        }
    }

    /// Paints a dark rectangle: left, top, width, height.
    pub fn darken(&mut self, [left, top, width, height]: [usize; 4]) {
        for row in self.luma.chunks_mut(self.width).skip(top).take(height) {
            row[left..left + width].fill(0);
        }
    }

    /// Takes everything away from a rectangle: left, top, width, height.
    pub fn erase(&mut self, [left, top, width, height]: [usize; 4]) {
        for row in self.luma.chunks_mut(self.width).skip(top).take(height) {
            row[left..left + width].fill(u8::MAX);
        }
    }

    /// Pixels of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of pixels.
    #[must_use]
    pub fn height(&self) -> usize {
        self.luma.len() / self.width
    }

    /// Whether anything is printed in this rectangle: left, top, width, height.
    #[must_use]
    pub fn has_ink(&self, [left, top, width, height]: [usize; 4]) -> bool {
        let rows = self.luma.chunks(self.width).skip(top).take(height);
        rows.flat_map(|row| row.iter().skip(left).take(width))
            .any(|luma| *luma < 128)
    }

    /// Where something is printed: the left, top, right and bottom of it all.
    ///
    /// # Panics
    /// When nothing is.
    #[must_use]
    pub fn ink(&self) -> [usize; 4] {
        let dark = || {
            self.luma
                .iter()
                .enumerate()
                .filter(|(_, luma)| **luma < 128)
        };
        let across = || dark().map(|(index, _)| index % self.width);
        let down = || dark().map(|(index, _)| index / self.width);
        [across().min(), down().min(), across().max(), down().max()].map(|edge| edge.expect("ink"))
    }

    /// Only this rectangle of it: left, top, width, height.
    #[must_use]
    pub fn cut(&self, [left, top, width, height]: [usize; 4]) -> Self {
        let rows = self.luma.chunks(self.width).skip(top).take(height);
        let luma: Vec<_> = rows
            .flat_map(|row| row.iter().skip(left).take(width).copied())
            .collect();
        Self {
            width: width.min(self.width - left),
            luma,
        }
    }

    /// All that a scanner reads on it.
    ///
    /// # Panics
    /// When ZBar is not there.
    #[must_use]
    pub fn scan(&self) -> Vec<Scanned> {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("page.pgm");
        let mut file = format!("P5 {} {} 255\n", self.width, self.height()).into_bytes();
        file.extend(&self.luma);
        std::fs::write(&path, file).expect("the page can be written");
        // Where nothing is found it fails. UPC-A is EAN-13 with a zero in front, unless it is asked for.
        let mut zbar = Command::new("zbarimg");
        zbar.args(["--quiet", "-Supca.enable"]).arg(&path);
        let out = zbar
            .stderr(Stdio::null())
            .output()
            .expect("zbarimg (zbar-tools)");
        let text = String::from_utf8(out.stdout).expect("text");
        let mut scanned: Vec<_> = text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(pattern, text)| (pattern.to_owned(), text.to_owned()))
            .collect();
        scanned.sort();
        scanned
    }

    /// What the QR codes on it say, as rqrr reads them: quicker than a scanner, and by other people.
    #[must_use]
    pub fn decode(&self) -> Vec<String> {
        self.decoded().into_iter().map(|(_, text)| text).collect()
    }

    /// The levels of the QR codes on it: `L`, `M`, `Q` or `H`.
    #[must_use]
    pub fn levels(&self) -> Vec<&'static str> {
        // As the format information in a code numbers them (ISO/IEC 18004, table 12).
        let name = |number: u16| ["M", "L", "H", "Q"][usize::from(number)];
        let decoded = self.decoded().into_iter();
        decoded.map(|(meta, _)| name(meta.ecc_level)).collect()
    }

    fn decoded(&self) -> Vec<(rqrr::MetaData, String)> {
        let pixel = |x: usize, y: usize| self.luma[y * self.width + x];
        let mut prepared =
            rqrr::PreparedImage::prepare_from_greyscale(self.width, self.height(), pixel);
        let grids = prepared.detect_grids();
        grids.iter().filter_map(|grid| grid.decode().ok()).collect()
    }

    /// A picture of any format.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn picture(bytes: &[u8]) -> Self {
        let picture = image::load_from_memory(bytes).expect("a picture");
        let luma = picture.into_luma8();
        Self {
            width: usize::try_from(luma.width()).expect("a width"),
            luma: luma.into_raw(),
        }
    }

    /// A drawing in SVG, so many pixels wide.
    ///
    /// # Panics
    /// When it is none, or librsvg is not there.
    #[must_use]
    pub fn drawing(svg: &[u8], width: u32) -> Self {
        let folder = TempDir::new().expect("a folder");
        let (source, target) = (folder.path().join("a.svg"), folder.path().join("a.png"));
        std::fs::write(&source, svg).expect("the drawing can be written");
        let mut program = Command::new("rsvg-convert");
        program.args(["--width", &width.to_string(), "--output"]);
        run(program.arg(&target).arg(&source));
        Self::picture(&std::fs::read(&target).expect("a picture"))
    }

    fn read(path: &Path) -> Self {
        let file = std::fs::read(path).expect("a page");
        // `P5`, width, height and the brightest value, each followed by one blank, then the pixels.
        let mut rest = &file[..];
        let mut header = [0; 4];
        for value in &mut header {
            let end = rest
                .iter()
                .position(u8::is_ascii_whitespace)
                .expect("a header");
            let word = std::str::from_utf8(&rest[..end]).expect("a header");
            *value = word.trim_start_matches('P').parse().expect("a number");
            rest = &rest[end + 1..];
        }
        let [kind, width, height, brightest] = header;
        assert_eq!((kind, brightest, rest.len()), (5, 255, width * height));
        Self {
            width,
            luma: rest.to_vec(),
        }
    }
}

/// The pages of a PDF file, with so many dots per inch.
///
/// # Panics
/// When it is none, or Poppler is not there.
#[must_use]
pub fn pages(pdf: &[u8], dots_per_inch: u32) -> Vec<Page> {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path().join("page");
    let dots = dots_per_inch.to_string();
    let mut program = Command::new("pdftoppm");
    program
        .args(["-gray", "-r", &dots])
        .arg(saved(&folder, pdf))
        .arg(&root);
    run(&mut program);
    let files = std::fs::read_dir(folder.path()).expect("a folder");
    let mut paths: Vec<_> = files
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pgm"))
        .collect();
    paths.sort();
    paths.iter().map(|path| Page::read(path)).collect()
}

/// The text of each page, in the order in which people read it.
///
/// # Panics
/// When it is none, or Poppler is not there.
#[must_use]
pub fn texts(pdf: &[u8]) -> Vec<String> {
    let folder = TempDir::new().expect("a folder");
    let mut program = Command::new("pdftotext");
    let out = run(program.arg(saved(&folder, pdf)).arg("-"));
    // Poppler puts marks of direction around what runs against its line.
    let text: String = out
        .chars()
        .filter(|c| !matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'))
        .collect();
    let mut pages: Vec<_> = text.split('\u{C}').map(str::to_owned).collect();
    pages.pop();
    pages
}

/// Width and height of the first page in points, as the file says it.
///
/// # Panics
/// When it is none, or Poppler is not there.
#[must_use]
pub fn size(pdf: &[u8]) -> String {
    let folder = TempDir::new().expect("a folder");
    let told = run(Command::new("pdfinfo").arg(saved(&folder, pdf)));
    let line = told
        .lines()
        .find_map(|line| line.strip_prefix("Page size:"));
    let size = line.expect("a size").trim();
    size.split(" pts").next().unwrap_or(size).to_owned()
}

/// The names of the fonts in the file, and whether each is embedded, a part only, and says which letters its glyphs stand for.
///
/// # Panics
/// When it is none, or Poppler is not there.
#[must_use]
pub fn fonts(pdf: &[u8]) -> Vec<String> {
    let folder = TempDir::new().expect("a folder");
    let told = run(Command::new("pdffonts").arg(saved(&folder, pdf)));
    told.lines().skip(2).map(str::to_owned).collect()
}

/// What Python finds in a ZIP archive, when it finds all of it sound.
const LISTED: &str = "import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
sys.stdout.buffer.write(''.join(name + '\\n' for name in archive.namelist()).encode())";

/// The files in a ZIP archive, with their names, in their order, as unzip and Python both find them.
///
/// # Panics
/// When it is none, anything in it is damaged, or one of them is not there.
#[must_use]
pub fn unzipped(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("a.zip");
    std::fs::write(&path, archive).expect("the archive can be written");
    // Otherwise it spells out what is not ASCII.
    let unzip = || {
        let mut program = Command::new("unzip");
        program.env("LC_ALL", "C.UTF-8");
        program
    };
    run(unzip().arg("-tqq").arg(&path));
    let names = run(unzip().arg("-Z1").arg(&path));
    let listed = run(Command::new("python3").args(["-c", LISTED]).arg(&path));
    assert_eq!(listed, names);
    let target = folder.path().join("files");
    run(unzip().arg("-qq").arg(&path).arg("-d").arg(&target));
    let file = |name: &str| {
        let bytes = std::fs::read(target.join(name)).expect("a file");
        (name.to_owned(), bytes)
    };
    names.lines().map(file).collect()
}

fn saved(folder: &TempDir, pdf: &[u8]) -> std::path::PathBuf {
    let path = folder.path().join("file.pdf");
    std::fs::write(&path, pdf).expect("the file can be written");
    path
}

fn run(program: &mut Command) -> String {
    let out = program.output();
    let out = out.expect("Poppler (poppler-utils), librsvg (librsvg2-bin), unzip, Python");
    let told = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{told}");
    String::from_utf8(out.stdout).expect("text")
}
