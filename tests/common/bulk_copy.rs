//! The C program that loads rows with Microsoft's `bcp_*` functions, and its expected output.

use std::fmt::Write;
use std::path::Path;

pub fn compile(to: &Path) {
    super::compile("tests/programs/bulk_copy.c", to, &["-lodbc", "-ldl"]);
}

/// The values of a row, as the program generates them.
struct Row {
    id: i64,
    big: Option<i64>,
    ratio: Option<f64>,
    thousandths: Option<i64>,
    name: Option<String>,
    data: Option<Vec<u8>>,
    made: Option<String>,
    day: Option<String>,
    note: Option<(i64, String)>,
}

fn row(i: i64) -> Row {
    let unless = |divisor| i % divisor != 0;
    let letter = format!(r"\u{:04X}", 0x3042 + i % 80);
    Row {
        id: i,
        big: unless(13).then_some(i * -1_000_000_007),
        ratio: unless(17).then_some(i as f64 / 8.0),
        thousandths: unless(19).then_some(if i % 2 == 0 { -125 * i } else { 125 * i }),
        // UTF-16 as the program prints it: a character outside the BMP is two units.
        name: unless(7).then(|| format!(r"Gr\u00F6\u00DFe \uD83D\uDE00 {i:05}")),
        data: unless(11).then(|| vec![i as u8; i as usize % 64]),
        made: unless(29).then(|| {
            let (month, day, hour, minute, second) = (1 + i % 12, 1 + i % 28, i % 24, i % 60, i * 7 % 60);
            format!("2026-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{i:06}")
        }),
        day: unless(23).then(|| format!("{:04}-{:02}-{:02}", 1 + i % 9999, 1 + i % 12, 1 + i % 28)),
        note: unless(3).then(|| (1 + i % 5000, letter)),
    }
}

fn shown(value: &Option<impl ToString>) -> String {
    value.as_ref().map_or("NULL".to_owned(), ToString::to_string)
}

/// As the driver writes decimals: without a zero before the decimal point.
fn decimal(thousandths: i64) -> String {
    let (sign, size) = (if thousandths < 0 { "-" } else { "" }, thousandths.abs());
    let whole = if size < 1000 { String::new() } else { (size / 1000).to_string() };
    format!("{sign}{whole}.{:03}", size % 1000)
}

/// The program's output for the 10,000 rows.
pub fn expected_load() -> String {
    let rows: Vec<Row> = (1..=10_000).map(row).collect();
    let mut said = "batch: 4000\nbatch: 4000\ndone: 2000\n".to_owned();
    fn known<'r, T>(rows: &'r [Row], value: impl Fn(&'r Row) -> Option<T>) -> Vec<T> {
        rows.iter().filter_map(value).collect()
    }
    let ids: i64 = rows.iter().map(|row| row.id).sum();
    let big = known(&rows, |row| row.big);
    let ratio = known(&rows, |row| row.ratio);
    let price = known(&rows, |row| row.thousandths);
    let numbers = [
        rows.len().to_string(),
        ids.to_string(),
        big.len().to_string(),
        big.iter().sum::<i64>().to_string(),
        ratio.len().to_string(),
        format!("{:?}", ratio.iter().sum::<f64>()),
        price.len().to_string(),
        decimal(price.iter().sum()),
    ];
    let names = known(&rows, |row| row.name.as_ref()).len();
    let data = known(&rows, |row| row.data.as_ref());
    let note = known(&rows, |row| row.note.as_ref());
    let lengths = [
        names,
        names,
        data.len(),
        data.iter().map(|data| data.len()).sum(),
        note.len(),
        note.iter().map(|(length, _)| *length as usize).sum(),
    ];
    let made = known(&rows, |row| row.made.as_ref());
    let day = known(&rows, |row| row.day.as_ref());
    let times = [
        made.len().to_string(),
        made.iter().min().unwrap().to_string(),
        made.iter().max().unwrap().to_string(),
        day.len().to_string(),
        day.iter().min().unwrap().to_string(),
        day.iter().max().unwrap().to_string(),
    ];
    for line in [numbers.join(" | "), lengths.map(|count| count.to_string()).join(" | "), times.join(" | ")] {
        writeln!(said, "{line}").unwrap();
    }
    for row in rows.iter().filter(|row| row.id % 1000 == 0) {
        let hex = |data: &Vec<u8>| data.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        let letter = shown(&row.note.as_ref().map(|(_, letter)| letter));
        let cells = [
            row.id.to_string(),
            shown(&row.big),
            shown(&row.ratio.map(|ratio| format!("{ratio:?}"))),
            shown(&row.thousandths.map(decimal)),
            shown(&row.name),
            shown(&row.data.as_ref().map(hex)),
            shown(&row.made),
            shown(&row.day),
            shown(&row.note.as_ref().map(|(length, _)| length)),
            letter.clone(),
            letter,
        ];
        writeln!(said, "{}", cells.join(" | ")).unwrap();
    }
    said
}
