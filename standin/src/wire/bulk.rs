//! The message with the rows of a bulk load: COLMETADATA, ROW tokens and DONE ([MS-TDS] 2.2.6.1).

use rusqlite::types::Value;

use super::cursor::{Cursor, Malformed};
use super::tokens::{COLMETADATA, DoneKind, ROW};
use super::values::{ClientType, read_type_info, read_value};

pub struct BulkRows<'a> {
    /// In the order of INSERT BULK.
    pub columns: Vec<ClientType>,
    from: Cursor<'a>,
}

impl<'a> BulkRows<'a> {
    /// Reads up to the first row.
    pub fn begin(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut from = Cursor::new(message);
        if from.u8()? != COLMETADATA {
            return Err(Malformed("a bulk load that does not begin with its columns"));
        }
        let mut columns = Vec::new();
        for _ in 0..from.u16()? {
            // User type and flags.
            from.bytes(6)?;
            let column = read_type_info(&mut from)?;
            if column.has_text_pointer() {
                return Err(Malformed("text, ntext or image in a bulk load, where no column is of these"));
            }
            columns.push(column);
            let units = usize::from(from.u8()?);
            from.utf16(units)?;
        }
        Ok(BulkRows { columns, from })
    }

    /// Reads the next row; `None` at the end, which not every client marks with DONE.
    pub fn next(&mut self) -> Result<Option<Vec<Value>>, Malformed> {
        if self.from.is_empty() {
            return Ok(None);
        }
        match self.from.u8()? {
            ROW => self
                .columns
                .iter()
                .map(|column| read_value(&mut self.from, *column))
                .collect::<Result<_, _>>()
                .map(Some),
            done if done == DoneKind::Batch as u8 => Ok(None),
            _ => Err(Malformed("neither a row nor the end of a bulk load")),
        }
    }
}
