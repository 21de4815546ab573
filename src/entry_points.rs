//! The table of entry points: every exported ODBC function, once.
//!
//! A row is the function's identifier for `SQLGetFunctions`, its kind, and its signature in the ABI's types:
//!
//! - `forward`: takes a statement or a descriptor. A load and a jump, no more.
//! - `connection(handle)`: takes an environment or a connection. The same, after our own records on that handle are
//!   cleared, if any exist at all.
//! - `custom(function)`: ours to answer, in part or wholly.
//!
//! A row may say what the absent target does instead of answering `SQL_ERROR`.
//!
//! From the table come the exported functions, the slots with the target's functions behind them, the typed calls to
//! these ([`target`]), and [`ROWS`], which the loader and the tests go through.
//!
//! The set is that of Microsoft's driver: wide functions and the narrow `SQLSetConnectAttr`, no ANSI and no ODBC 2
//! functions. What is left out, and what each of those would break, is in `docs/exports.md`.
//!
//! Exported functions are leaves: nothing in this library calls one, since the dynamic linker may bind such a call to
//! the driver manager's function of the same name.

use crate::odbc::{Handle, Pointer, Return, SQL_ERROR, WChar};
use crate::{absent, answers, connect, connections, diagnostics};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};

/// What the loader and the tests know of an entry point.
pub struct Row {
    pub name: &'static str,
    /// SQL_API_...: what `SQLGetFunctions` knows it by.
    pub function_id: u16,
    slot: &'static AtomicPtr<()>,
    filled: AtomicBool,
}

impl Row {
    /// Puts the target's function behind the entry point.
    pub fn fill(&self, function: *mut ()) {
        // Relaxed: whoever calls has a handle, and the handle was given out after this.
        self.slot.store(function, Relaxed);
        self.filled.store(true, Relaxed);
    }

    /// Whether the target has this function.
    pub fn is_filled(&self) -> bool {
        self.filled.load(Relaxed)
    }
}

macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($($argument:ident: $type:ty),*) $(absent($absent:path))?;)*) => {
        /// All entry points.
        pub static ROWS: [Row; [$($id),*].len()] = [$(
            Row { name: stringify!($name), function_id: $id, slot: &slot::$name, filled: AtomicBool::new(false) },
        )*];

        /// The functions that calls go to: the absent target's until a target is loaded.
        #[allow(non_upper_case_globals)]
        mod slot {
            use super::*;
            $(pub static $name: AtomicPtr<()> = AtomicPtr::new(without::$name as *mut ());)*
        }

        /// What each function does without a target, or in a target that lacks it.
        #[allow(non_snake_case, clippy::too_many_arguments)]
        mod without {
            use super::*;
            $(entry_points!(@without $name($($argument: $type),*) $($absent)?);)*
        }

        /// The target's functions. For each the safety is the specification's: the arguments are as it has them.
        /// Two are never called: every connect goes to the target's `SQLDriverConnectW`.
        #[allow(dead_code, non_snake_case, clippy::too_many_arguments, clippy::missing_safety_doc)]
        pub(crate) mod target {
            use super::*;
            $(
                #[inline(always)]
                pub unsafe fn $name($($argument: $type),*) -> Return {
                    let function = slot::$name.load(Relaxed);
                    // SAFETY: the slot holds a function of this name, ours or the target's, and the name promises its
                    // type. The caller promises the arguments.
                    unsafe {
                        let function: unsafe extern "system" fn($($type),*) -> Return = std::mem::transmute(function);
                        function($($argument),*)
                    }
                }
            )*
        }

        /// The exported functions. For each the safety is the specification's: the arguments are as it has them.
        #[allow(non_snake_case, clippy::too_many_arguments, clippy::missing_safety_doc)]
        mod exported {
            use super::*;
            $(
                #[unsafe(no_mangle)]
                pub unsafe extern "system" fn $name($($argument: $type),*) -> Return {
                    entry_points!(@body $kind $($detail)?, $name($($argument),*))
                }
            )*
        }
    };

    // SAFETY of the three: the caller's arguments, unchanged.
    (@body forward, $name:ident($($argument:ident),*)) => { unsafe { target::$name($($argument),*) } };
    (@body connection $handle:path, $name:ident($($argument:ident),*)) => {{
        connections::clear_records($handle);
        unsafe { target::$name($($argument),*) }
    }};
    (@body custom $function:path, $name:ident($($argument:ident),*)) => { unsafe { $function($($argument),*) } };

    (@without $name:ident($($argument:ident: $type:ty),*)) => {
        pub unsafe extern "system" fn $name($(_: $type),*) -> Return {
            SQL_ERROR
        }
    };
    (@without $name:ident($($argument:ident: $type:ty),*) $absent:path) => {
        pub unsafe extern "system" fn $name($($argument: $type),*) -> Return {
            // SAFETY: the caller's arguments, unchanged.
            unsafe { $absent($($argument),*) }
        }
    };
}

entry_points! {
    1001 custom(crate::target::alloc_handle) SQLAllocHandle(handle_type: i16, input: Handle, output: *mut Handle) absent(absent::alloc_handle);
    4 forward SQLBindCol(statement: Handle, column: u16, c_type: i16, value: Pointer, capacity: isize, indicator: *mut isize);
    72 forward SQLBindParameter(statement: Handle, parameter: u16, direction: i16, c_type: i16, sql_type: i16, size: usize, digits: i16, value: Pointer, capacity: isize, indicator: *mut isize);
    55 custom(connect::browse_connect) SQLBrowseConnectW(connection: Handle, string: *mut WChar, string_length: i16, buffer: *mut WChar, capacity: i16, length: *mut i16);
    24 forward SQLBulkOperations(statement: Handle, operation: i16);
    5 forward SQLCancel(statement: Handle);
    1022 connection(handle) SQLCancelHandle(handle_type: i16, handle: Handle);
    1003 forward SQLCloseCursor(statement: Handle);
    6 forward SQLColAttributeW(statement: Handle, column: u16, field: u16, text: Pointer, capacity: i16, length: *mut i16, number: *mut isize);
    56 forward SQLColumnPrivilegesW(statement: Handle, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, table: *mut WChar, table_length: i16, column: *mut WChar, column_length: i16);
    40 forward SQLColumnsW(statement: Handle, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, table: *mut WChar, table_length: i16, column: *mut WChar, column_length: i16);
    7 custom(connect::connect) SQLConnectW(connection: Handle, data_source: *mut WChar, data_source_length: i16, user: *mut WChar, user_length: i16, password: *mut WChar, password_length: i16);
    1004 forward SQLCopyDesc(source: Handle, destination: Handle);
    8 forward SQLDescribeColW(statement: Handle, column: u16, name: *mut WChar, capacity: i16, length: *mut i16, sql_type: *mut i16, size: *mut usize, digits: *mut i16, nullable: *mut i16);
    58 forward SQLDescribeParam(statement: Handle, parameter: u16, sql_type: *mut i16, size: *mut usize, digits: *mut i16, nullable: *mut i16);
    9 connection(connection) SQLDisconnect(connection: Handle);
    41 custom(connect::driver_connect) SQLDriverConnectW(connection: Handle, window: Pointer, string: *mut WChar, string_length: i16, buffer: *mut WChar, capacity: i16, length: *mut i16, completion: u16);
    1005 connection(handle) SQLEndTran(handle_type: i16, handle: Handle, completion: i16);
    11 forward SQLExecDirectW(statement: Handle, text: *mut WChar, length: i32);
    12 forward SQLExecute(statement: Handle);
    59 forward SQLExtendedFetch(statement: Handle, orientation: u16, offset: isize, rows: *mut usize, status: *mut u16);
    13 forward SQLFetch(statement: Handle);
    1021 forward SQLFetchScroll(statement: Handle, orientation: i16, offset: isize);
    60 forward SQLForeignKeysW(statement: Handle, pk_catalog: *mut WChar, pk_catalog_length: i16, pk_schema: *mut WChar, pk_schema_length: i16, pk_table: *mut WChar, pk_table_length: i16, fk_catalog: *mut WChar, fk_catalog_length: i16, fk_schema: *mut WChar, fk_schema_length: i16, fk_table: *mut WChar, fk_table_length: i16);
    1006 custom(answers::free_handle) SQLFreeHandle(handle_type: i16, handle: Handle) absent(absent::free_handle);
    16 forward SQLFreeStmt(statement: Handle, option: u16);
    1007 connection(connection) SQLGetConnectAttrW(connection: Handle, attribute: i32, value: Pointer, capacity: i32, length: *mut i32);
    42 connection(connection) SQLGetConnectOptionW(connection: Handle, option: u16, value: Pointer);
    17 forward SQLGetCursorNameW(statement: Handle, name: *mut WChar, capacity: i16, length: *mut i16);
    43 forward SQLGetData(statement: Handle, column: u16, c_type: i16, value: Pointer, capacity: isize, indicator: *mut isize);
    1008 forward SQLGetDescFieldW(descriptor: Handle, record: i16, field: i16, value: Pointer, capacity: i32, length: *mut i32);
    1009 forward SQLGetDescRecW(descriptor: Handle, record: i16, name: *mut WChar, capacity: i16, length: *mut i16, sql_type: *mut i16, subtype: *mut i16, octets: *mut isize, precision: *mut i16, scale: *mut i16, nullable: *mut i16);
    1010 custom(diagnostics::get_diag_field) SQLGetDiagFieldW(handle_type: i16, handle: Handle, number: i16, field: i16, value: Pointer, capacity: i16, length: *mut i16) absent(absent::get_diag_field);
    1011 custom(diagnostics::get_diag_rec) SQLGetDiagRecW(handle_type: i16, handle: Handle, number: i16, state: *mut WChar, native_error: *mut i32, text: *mut WChar, capacity: i16, length: *mut i16) absent(absent::get_diag_rec);
    1012 custom(answers::get_env_attr) SQLGetEnvAttr(environment: Handle, attribute: i32, value: Pointer, capacity: i32, length: *mut i32) absent(absent::get_env_attr);
    44 custom(answers::get_functions) SQLGetFunctions(connection: Handle, function: u16, supported: *mut u16);
    45 custom(answers::get_info) SQLGetInfoW(connection: Handle, information: u16, value: Pointer, capacity: i16, length: *mut i16);
    1014 forward SQLGetStmtAttrW(statement: Handle, attribute: i32, value: Pointer, capacity: i32, length: *mut i32);
    47 forward SQLGetTypeInfoW(statement: Handle, sql_type: i16);
    61 forward SQLMoreResults(statement: Handle);
    62 connection(connection) SQLNativeSqlW(connection: Handle, text: *mut WChar, text_length: i32, buffer: *mut WChar, capacity: i32, length: *mut i32);
    63 forward SQLNumParams(statement: Handle, count: *mut i16);
    18 forward SQLNumResultCols(statement: Handle, count: *mut i16);
    48 forward SQLParamData(statement: Handle, value: *mut Pointer);
    64 forward SQLParamOptions(statement: Handle, rows: usize, row: *mut usize);
    19 forward SQLPrepareW(statement: Handle, text: *mut WChar, length: i32);
    65 forward SQLPrimaryKeysW(statement: Handle, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, table: *mut WChar, table_length: i16);
    66 forward SQLProcedureColumnsW(statement: Handle, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, procedure: *mut WChar, procedure_length: i16, column: *mut WChar, column_length: i16);
    67 forward SQLProceduresW(statement: Handle, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, procedure: *mut WChar, procedure_length: i16);
    49 forward SQLPutData(statement: Handle, data: Pointer, length: isize);
    20 forward SQLRowCount(statement: Handle, count: *mut isize);
    1016 connection(connection) SQLSetConnectAttr(connection: Handle, attribute: i32, value: Pointer, length: i32) absent(absent::set_connect_attr);
    1016 connection(connection) SQLSetConnectAttrW(connection: Handle, attribute: i32, value: Pointer, length: i32) absent(absent::set_connect_attr);
    50 connection(connection) SQLSetConnectOptionW(connection: Handle, option: u16, value: usize);
    21 forward SQLSetCursorNameW(statement: Handle, name: *mut WChar, length: i16);
    1017 forward SQLSetDescFieldW(descriptor: Handle, record: i16, field: i16, value: Pointer, length: i32);
    1018 forward SQLSetDescRec(descriptor: Handle, record: i16, sql_type: i16, subtype: i16, octets: isize, precision: i16, scale: i16, data: Pointer, length: *mut isize, indicator: *mut isize);
    1019 connection(environment) SQLSetEnvAttr(environment: Handle, attribute: i32, value: Pointer, length: i32) absent(absent::set_env_attr);
    68 forward SQLSetPos(statement: Handle, row: usize, operation: u16, lock: u16);
    69 forward SQLSetScrollOptions(statement: Handle, concurrency: u16, keyset_rows: isize, rowset_rows: u16);
    1020 forward SQLSetStmtAttrW(statement: Handle, attribute: i32, value: Pointer, length: i32);
    52 forward SQLSpecialColumnsW(statement: Handle, kind: u16, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, table: *mut WChar, table_length: i16, scope: u16, nullable: u16);
    53 forward SQLStatisticsW(statement: Handle, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, table: *mut WChar, table_length: i16, unique: u16, accuracy: u16);
    70 forward SQLTablePrivilegesW(statement: Handle, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, table: *mut WChar, table_length: i16);
    54 forward SQLTablesW(statement: Handle, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, table: *mut WChar, table_length: i16, types: *mut WChar, types_length: i16);
}
