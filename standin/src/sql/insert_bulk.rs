//! Parses INSERT BULK, which announces the rows of a bulk load. Only client libraries generate it.

use sqlparser::ast::ObjectName;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

#[derive(Clone, Debug, PartialEq)]
pub struct InsertBulk {
    pub table: ObjectName,
    /// The names of the columns; the rows' message repeats the types.
    pub columns: Vec<String>,
    /// In capitals.
    pub hints: Vec<String>,
}

/// `INSERT BULK dbo.t ([a] int, [b] nvarchar(10) COLLATE x) WITH (TABLOCK, ROWS_PER_BATCH = 100, ORDER ([a] ASC))`
pub fn read(parser: &mut Parser<'_>) -> Result<InsertBulk, ParserError> {
    // Both words, by which the caller recognised it; to the parser the second one is a name.
    parser.expect_keyword(Keyword::INSERT)?;
    parser.parse_identifier()?;
    let table = parser.parse_object_name(false)?;
    parser.expect_token(&Token::LParen)?;
    let columns = parser.parse_comma_separated(Parser::parse_column_def)?;
    parser.expect_token(&Token::RParen)?;
    let mut hints = Vec::new();
    if parser.parse_keyword(Keyword::WITH) {
        parser.expect_token(&Token::LParen)?;
        hints = parser.parse_comma_separated(hint)?;
        parser.expect_token(&Token::RParen)?;
    }
    Ok(InsertBulk { table, columns: columns.into_iter().map(|column| column.name.value).collect(), hints })
}

fn hint(parser: &mut Parser<'_>) -> Result<String, ParserError> {
    let name = parser.parse_identifier()?.value.to_ascii_uppercase();
    if parser.consume_token(&Token::Eq) {
        parser.parse_literal_uint()?;
    } else if parser.consume_token(&Token::LParen) {
        parser.parse_comma_separated(Parser::parse_order_by_expr)?;
        parser.expect_token(&Token::RParen)?;
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlparser::dialect::MsSqlDialect;

    #[test]
    fn insert_bulk_statements_are_parsed() {
        let read = |sql: &str| {
            let mut parser = Parser::new(&MsSqlDialect {}).try_with_sql(sql).unwrap();
            read(&mut parser).map(|found| (found.table.to_string(), found.columns, found.hints))
        };
        let (table, columns, hints) = read(
            "insert bulk Sales.[dbo].[a b]([id] int,[name] nvarchar(max) collate SQL_Latin1_General_CP1_CI_AS,[at] datetime2(7)) \
             with (TABLOCK, ROWS_PER_BATCH = 100, ORDER([id] ASC, [at] DESC), Keep_Nulls)",
        )
        .unwrap();
        assert_eq!(table, "Sales.[dbo].[a b]");
        assert_eq!(columns, ["id", "name", "at"]);
        assert_eq!(hints, ["TABLOCK", "ROWS_PER_BATCH", "ORDER", "KEEP_NULLS"]);
        assert_eq!(read("INSERT BULK t (a decimal(5, 2))").unwrap().2, [""; 0]);
        for wrong in
            ["INSERT BULK t", "INSERT BULK t ()", "INSERT BULK t (a int) WITH TABLOCK", "INSERT BULK t (a int) WITH ("]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
