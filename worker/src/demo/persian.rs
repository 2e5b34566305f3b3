//! Persian spelling of numbers and doses.

/// The text with Persian digits, and the Persian decimal separator between two of them.
pub(super) fn digits(text: &str) -> String {
    text.chars().map(digit).collect()
}

const fn digit(c: char) -> char {
    match c {
        '0' => '۰',
        '1' => '۱',
        '2' => '۲',
        '3' => '۳',
        '4' => '۴',
        '5' => '۵',
        '6' => '۶',
        '7' => '۷',
        '8' => '۸',
        '9' => '۹',
        '.' => '٫',
        '%' => '٪',
        other => other,
    }
}

/// A dose such as `120 mg/5 ml` in Persian: «۱۲۰ میلی‌گرم در ۵ میلی‌لیتر».
pub(super) fn dose(text: &str) -> String {
    let per = text.replace("g/", "g / ").replace("units/", "units / ");
    per.split(' ').map(dose_word).collect::<Vec<_>>().join(" ")
}

fn dose_word(word: &str) -> String {
    match word {
        "mg" => "میلی‌گرم".into(),
        "mcg" => "میکروگرم".into(),
        "g" => "گرم".into(),
        "ml" => "میلی‌لیتر".into(),
        "units" => "واحد".into(),
        "/" => "در".into(),
        number => digits(number),
    }
}

#[cfg(test)]
mod tests {
    use super::dose;

    #[test]
    fn doses_are_written_as_a_pharmacist_writes_them() {
        assert_eq!(dose("500 mg"), "۵۰۰ میلی‌گرم");
        assert_eq!(dose("120 mg/5 ml"), "۱۲۰ میلی‌گرم در ۵ میلی‌لیتر");
        assert_eq!(dose("1000 mcg/ml"), "۱۰۰۰ میکروگرم در میلی‌لیتر");
        assert_eq!(dose("100 units/ml"), "۱۰۰ واحد در میلی‌لیتر");
        assert_eq!(dose("300/20 mg"), "۳۰۰/۲۰ میلی‌گرم");
        assert_eq!(dose("0.5%"), "۰٫۵٪");
    }
}
