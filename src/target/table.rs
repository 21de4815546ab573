// The table of entry points: every exported ODBC function, once.
//
// A row is the function's identifier for SQLGetFunctions, its kind, and its signature in the ABI's types; what the kinds
// mean is in src/surface/exported.rs, what `absent` and `lacking` are in src/target/slots.rs. Whoever includes this file defines
// `entry_points!` before: the target's floor makes its slots and typed calls of the rows, the surface its exports, the tests their calls,
// and the recording target its functions.

entry_points! {
    1001 custom(answers::alloc_handle) SQLAllocHandle(handle_type: i16, input: Handle, output: *mut Handle) absent(absent::alloc_handle);
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
    42 connection(connection) SQLGetConnectOptionW(connection: Handle, option: u16, value: Pointer) lacking(lacking::get_connect_option);
    17 forward SQLGetCursorNameW(statement: Handle, name: *mut WChar, capacity: i16, length: *mut i16);
    43 forward SQLGetData(statement: Handle, column: u16, c_type: i16, value: Pointer, capacity: isize, indicator: *mut isize);
    1008 forward SQLGetDescFieldW(descriptor: Handle, record: i16, field: i16, value: Pointer, capacity: i32, length: *mut i32);
    1009 forward SQLGetDescRecW(descriptor: Handle, record: i16, name: *mut WChar, capacity: i16, length: *mut i16, sql_type: *mut i16, subtype: *mut i16, octets: *mut isize, precision: *mut i16, scale: *mut i16, nullable: *mut i16);
    1010 custom(diagnostics::get_diag_field) SQLGetDiagFieldW(handle_type: i16, handle: Handle, number: i16, field: i16, value: Pointer, capacity: i16, length: *mut i16) absent(absent::get_diag_field);
    1011 custom(diagnostics::get_diag_rec) SQLGetDiagRecW(handle_type: i16, handle: Handle, number: i16, state: *mut WChar, native_error: *mut i32, text: *mut WChar, capacity: i16, length: *mut i16) absent(absent::get_diag_rec);
    1012 custom(answers::get_env_attr) SQLGetEnvAttr(environment: Handle, attribute: i32, value: Pointer, capacity: i32, length: *mut i32) absent(absent::get_env_attr);
    44 custom(answers::get_functions) SQLGetFunctions(connection: Handle, function: u16, supported: *mut u16) lacking(lacking::functions);
    45 connection(connection) SQLGetInfoW(connection: Handle, information: u16, value: Pointer, capacity: i16, length: *mut i16);
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
    1016 custom(answers::set_connect_attr) SQLSetConnectAttr(connection: Handle, attribute: i32, value: Pointer, length: i32) absent(absent::set_connect_attr);
    1016 custom(answers::set_connect_attr_w) SQLSetConnectAttrW(connection: Handle, attribute: i32, value: Pointer, length: i32) absent(absent::set_connect_attr);
    50 custom(answers::set_connect_option_w) SQLSetConnectOptionW(connection: Handle, option: u16, value: usize) lacking(lacking::set_connect_option);
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
