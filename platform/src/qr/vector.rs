//! Codes as SVG. The drawing counts in modules, so that nothing in it is a fraction but the place of the picture; dark modules beside each
//! other are one rectangle.

use std::fmt::{self, Write as _};

use super::{QUIET, QUIET_ZONE, Qr, QrError};
use crate::barcode::bars;

pub(super) fn svg(qr: &Qr, least: u32, module: u32) -> Result<String, QrError> {
    let mut drawing = String::with_capacity(16 * 1024);
    write(&mut drawing, qr, least, least * module).or(Err(QrError::Encoding))?;
    Ok(drawing)
}

fn write(out: &mut String, qr: &Qr, least: u32, size: u32) -> fmt::Result {
    out.push_str(
        r#"<?xml version="1.0" standalone="yes"?><svg xmlns="http://www.w3.org/2000/svg""#,
    );
    if qr.middle.is_some() {
        out.push_str(r#" xmlns:xlink="http://www.w3.org/1999/xlink""#);
    }
    write!(
        out,
        r##" version="1.1" width="{size}" height="{size}" viewBox="0 0 {least} {least}" shape-rendering="crispEdges"><path d="M0 0h{least}v{least}H0z" fill="#fff"/><path d=""##,
    )?;
    for (row, y) in qr.rows().zip(QUIET_ZONE..) {
        for (start, width) in bars(row) {
            write!(out, "M{} {y}h{width}v1h-{width}z", start + QUIET)?;
        }
    }
    out.push_str(r##"" fill="#000"/>"##);
    if let Some((hole, logo)) = &qr.middle {
        let (first, side) = (hole.first + QUIET, hole.side - 1);
        write!(
            out,
            r#"<image x="{first}.5" y="{first}.5" width="{side}" height="{side}" xlink:href="{}"/>"#,
            logo.address()
        )?;
    }
    out.push_str("</svg>");
    Ok(())
}
