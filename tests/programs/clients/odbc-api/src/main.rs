//! Rust's odbc-api: `use_odbc_api DSN`

use odbc_api::parameter::{VarBinarySlice, WithDataType};
use odbc_api::sys::{Date, Timestamp};
use odbc_api::{
    Bit, ConnectionOptions, Cursor, CursorRow, DataType, Environment, Error, IntoParameter, Nullable, Utf16String,
};

/// The version of odbc-api, which it does not report itself.
fn version() -> Option<&'static str> {
    include_str!("../Cargo.toml").split("version = \"=").nth(1)?.split('"').next()
}

fn date(year: i16, month: u16, day: u16) -> Date {
    Date { year, month, day }
}

fn time(year: i16, month: u16, day: u16, [hour, minute, second]: [u16; 3], fraction: u32) -> WithDataType<Timestamp> {
    let value = Timestamp { year, month, day, hour, minute, second, fraction };
    WithDataType { value, data_type: DataType::Timestamp { precision: 7 } }
}

/// One column of a fixed size; `None` is NULL.
fn fixed<T: Default + Copy>(row: &mut CursorRow<'_>, column: u16) -> Result<Option<T>, Error>
where
    Nullable<T>: odbc_api::parameter::CElement + odbc_api::handles::CDataMut,
{
    let mut value = Nullable::<T>::null();
    row.get_data(column, &mut value)?;
    Ok(value.into_opt())
}

fn text(row: &mut CursorRow<'_>, column: u16) -> Result<Option<String>, Error> {
    let mut text = Vec::new();
    Ok(row.get_wide_text(column, &mut text)?.then(|| String::from_utf16_lossy(&text)))
}

fn main() -> Result<(), Error> {
    println!("client: odbc-api {}", version().expect("Cargo.toml names it"));
    println!("language: Rust {}", env!("RUST_VERSION"));

    let dsn = std::env::args().nth(1).expect("the name of a data source");
    let environment = Environment::new()?;
    let options = ConnectionOptions::default();
    let connection = match (std::env::var("CLIENT_USER"), std::env::var("CLIENT_PASSWORD")) {
        (Ok(user), Ok(password)) => environment.connect(&dsn, &user, &password, options)?,
        _ => environment.connect_with_connection_string(&format!("DSN={dsn}"), options)?,
    };

    let create = "CREATE TABLE dbo.Typed (
        id int NOT NULL PRIMARY KEY, big bigint, amount decimal(19, 4), ratio float, name nvarchar(40),
        born date, noted datetime2(7), flag bit, data varbinary(20))";
    connection.execute(create, (), None)?;
    let mut insert = connection.prepare("INSERT INTO dbo.Typed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
    insert.execute((
        &1,
        &i64::MAX,
        &"1234567.8901".into_parameter(),
        &0.1,
        &Utf16String::from("Bjørn & Sønner").into_parameter(),
        &date(1815, 12, 10),
        &time(2026, 11, 22, [20, 15, 1], 123_456_700),
        &Bit::from_bool(true),
        &VarBinarySlice::new(&[0x00, 0xff, 0x10]),
    ))?;
    insert.execute((
        &2,
        &i64::MIN,
        &"-0.0001".into_parameter(),
        &-1.5e300,
        &Utf16String::from("日本 Ω 😀").into_parameter(),
        &date(9999, 12, 31),
        &time(1, 1, 1, [0, 0, 0], 0),
        &Bit::from_bool(false),
        &VarBinarySlice::new(&[]),
    ))?;
    connection.execute("INSERT INTO dbo.Typed (id) VALUES (3)", (), None)?;

    let mut cursor = connection.execute("SELECT * FROM dbo.Typed ORDER BY id", (), None)?.expect("it gives rows");
    while let Some(mut row) = cursor.next_row()? {
        let row = &mut row;
        let (id, big) = (fixed::<i32>(row, 1)?, fixed::<i64>(row, 2)?);
        let (amount, ratio, name) = (text(row, 3)?, fixed::<f64>(row, 4)?, text(row, 5)?);
        let (born, noted, flag) = (fixed::<Date>(row, 6)?, fixed::<Timestamp>(row, 7)?, fixed::<Bit>(row, 8)?);
        let mut data = Vec::new();
        let data = row.get_binary(9, &mut data)?.then_some(data);
        println!("{id:?} {big:?} {amount:?} {ratio:?} {name:?} {born:?} {noted:?} {flag:?} {data:?}");
    }
    drop(cursor);

    let name = Utf16String::from("日本 Ω 😀");
    let found = connection.execute("SELECT id FROM dbo.Typed WHERE name = ?", &name.into_parameter(), None)?;
    let mut found = found.expect("it gives rows");
    println!("found: {:?}", found.next_row()?.map(|mut row| fixed::<i32>(&mut row, 1)).transpose()?);
    drop(found);

    if let Err(error) = connection.execute("SELECT * FROM dbo.Missing", (), None) {
        println!("{error}");
    }
    Ok(())
}
