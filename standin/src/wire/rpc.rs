//! RPC requests, transaction manager requests, and the headers before both ([MS-TDS] 2.2.6.6, 2.2.6.9, 2.2.5.3).

use rusqlite::types::Value;

use super::cursor::{Cursor, Malformed, utf16};
use super::values::{read_type_info, read_value};
use crate::sql::types::SqlType;

/// A parameter of a call.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// With its `@`; empty if it is given by position.
    pub name: String,
    /// Whether the caller wants its value back.
    pub output: bool,
    pub ty: SqlType,
    pub value: Value,
}

impl Parameter {
    /// The value as text, for the parameters that hold SQL or a name.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn integer(&self) -> Option<i64> {
        match self.value {
            Value::Integer(value) => Some(value),
            _ => None,
        }
    }
}

/// One call of a procedure.
#[derive(Debug)]
pub struct Call {
    /// Lower case, without brackets and without the schema.
    pub procedure: String,
    pub parameters: Vec<Parameter>,
}

impl Call {
    /// A parameter by its name, or by its position from 0 among those without a name.
    pub fn parameter(&self, name: &str, position: usize) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name.eq_ignore_ascii_case(name))
            .or_else(|| self.parameters.get(position).filter(|parameter| parameter.name.is_empty()))
    }
}

/// The procedures that clients call by number.
const BY_NUMBER: [(u16, &str); 15] = [
    (1, "sp_cursor"),
    (2, "sp_cursoropen"),
    (3, "sp_cursorprepare"),
    (4, "sp_cursorexecute"),
    (5, "sp_cursorprepexec"),
    (6, "sp_cursorunprepare"),
    (7, "sp_cursorfetch"),
    (8, "sp_cursoroption"),
    (9, "sp_cursorclose"),
    (10, "sp_executesql"),
    (11, "sp_prepare"),
    (12, "sp_execute"),
    (13, "sp_prepexec"),
    (14, "sp_prepexecrpc"),
    (15, "sp_unprepare"),
];

/// Between the calls of one request; the older form is from before TDS 7.2.
const SEPARATORS: [u8; 3] = [0xff, 0xfe, 0x80];
const OUTPUT: u8 = 0x01;
const ENCRYPTED: u8 = 0x08;

/// Skips ALL_HEADERS, none of which matters to a server that serves one request at a time.
pub fn skip_headers(from: &mut Cursor<'_>) -> Result<(), Malformed> {
    let length = from.u32()? as usize;
    from.bytes(length.checked_sub(4).ok_or(Malformed("headers shorter than their length"))?)?;
    Ok(())
}

/// The calls of an RPC request.
pub fn calls(message: &[u8]) -> Result<Vec<Call>, Malformed> {
    let mut from = Cursor::new(message);
    skip_headers(&mut from)?;
    let mut calls = Vec::new();
    while !from.is_empty() {
        calls.push(call(&mut from)?);
    }
    Ok(calls)
}

fn call(from: &mut Cursor<'_>) -> Result<Call, Malformed> {
    let procedure = match from.u16()? {
        0xffff => {
            let number = from.u16()?;
            let known = BY_NUMBER.iter().find(|(known, _)| *known == number);
            known.ok_or(Malformed("a procedure number that the stand-in does not know"))?.1.to_owned()
        }
        units => procedure_name(&from.utf16(usize::from(units))?),
    };
    // Options: recompile, no metadata, reuse metadata. None of them affects correctness.
    from.u16()?;
    let mut parameters = Vec::new();
    while let Some(next) = from.peek() {
        if SEPARATORS.contains(&next) {
            from.u8()?;
            break;
        }
        let units = usize::from(from.u8()?);
        let name = from.utf16(units)?;
        let flags = from.u8()?;
        if flags & ENCRYPTED != 0 {
            return Err(Malformed("an encrypted parameter, which nobody said would be understood"));
        }
        let client = read_type_info(from)?;
        let value = read_value(from, client)?;
        parameters.push(Parameter { name, output: flags & OUTPUT != 0, ty: client.ty, value });
    }
    Ok(Call { procedure, parameters })
}

/// `[sys].sp_columns_100;1`, `master..sp_tables`: the name itself.
pub fn procedure_name(written: &str) -> String {
    let last = written.rsplit('.').next().unwrap_or(written);
    let last = last.split(';').next().unwrap_or(last);
    last.trim_matches(['[', ']', '"', ' ']).to_ascii_lowercase()
}

/// The operation of a transaction manager request.
#[derive(Debug, PartialEq, Eq)]
pub enum TransactionRequest {
    Begin,
    /// Ends the transaction; `begin` asks for the next one at once.
    Commit {
        begin: bool,
    },
    Rollback {
        begin: bool,
        name: String,
    },
    Save(String),
    Other(u16),
}

/// The flag that asks for the next transaction.
const BEGIN_NEXT: u8 = 0x01;

pub fn transaction_request(message: &[u8]) -> Result<TransactionRequest, Malformed> {
    let mut from = Cursor::new(message);
    skip_headers(&mut from)?;
    let kind = from.u16()?;
    // Names are counted in bytes here.
    let mut name = || -> Result<String, Malformed> {
        let length = usize::from(from.u8()?);
        Ok(utf16(from.bytes(length)?))
    };
    Ok(match kind {
        5 => TransactionRequest::Begin,
        7 => {
            name()?;
            TransactionRequest::Commit { begin: from.u8()? & BEGIN_NEXT != 0 }
        }
        8 => {
            let name = name()?;
            TransactionRequest::Rollback { begin: from.u8()? & BEGIN_NEXT != 0, name }
        }
        9 => TransactionRequest::Save(name()?),
        other => TransactionRequest::Other(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_HEADERS: [u8; 4] = [4, 0, 0, 0];

    #[test]
    fn calls_by_number_and_by_name() {
        let int = |value: u8| [0u8, 0, 0x26, 4, 4, value, 0, 0, 0];
        let mut request = NO_HEADERS.to_vec();
        request.extend([0xff, 0xff, 12, 0, 0, 0]);
        request.extend(int(7));
        request.push(0xff);
        let name: Vec<u8> = "[sys].SP_Who".encode_utf16().flat_map(u16::to_le_bytes).collect();
        request.extend([12, 0]);
        request.extend(name);
        request.extend([0, 0]);
        let calls = calls(&request).unwrap();
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[0].procedure, "sp_execute");
        assert_eq!(calls[0].parameter("@handle", 0).unwrap().integer(), Some(7));
        assert_eq!(calls[1].procedure, "sp_who");
        for cut in 0..request.len() {
            // No input may cause a panic.
            let _ = super::calls(&request[..cut]);
        }
    }

    #[test]
    fn transactions() {
        let request = |body: &[u8]| transaction_request(&[&NO_HEADERS, body].concat());
        assert_eq!(request(&[5, 0, 0, 0]), Ok(TransactionRequest::Begin));
        assert_eq!(request(&[7, 0, 0, 0]), Ok(TransactionRequest::Commit { begin: false }));
        assert_eq!(
            request(&[8, 0, 2, b'a', 0, 1, 0, 0]),
            Ok(TransactionRequest::Rollback { begin: true, name: "a".to_owned() })
        );
        assert!(request(&[7, 0]).is_err());
        assert!(transaction_request(&[3, 0, 0, 0]).is_err());
    }
}
