// The table of entry points: every exported ODBC function, once.
//
// A row consists of the function's identifier for SQLGetFunctions, its kind, and its signature in the ABI's types.
// src/surface/exported.rs explains the kinds, src/target/slots.rs explains `absent` and `lacking`. A file that includes
// this one defines `entry_points!` first: the target layer makes its slots and typed calls from the rows, the surface
// its exports, the tests their calls, and the recording target its functions.

entry_points! {
    1001 custom(answers::alloc_handle) SQLAllocHandle(handle_type: i16, input: Handle, output: *mut Handle) absent(absent::alloc_handle);
    4 forward SQLBindCol(statement: HStmt, column: u16, c_type: i16, value: Pointer, capacity: Len, indicator: *mut Len);
    72 forward SQLBindParameter(statement: HStmt, parameter: u16, direction: i16, c_type: i16, sql_type: i16, size: ULen, digits: i16, value: Pointer, capacity: Len, indicator: *mut Len);
    55 custom(connect::browse_connect) SQLBrowseConnectW(connection: HDbc, string: *mut WChar, string_length: i16, buffer: *mut WChar, capacity: i16, length: *mut i16);
    24 forward SQLBulkOperations(statement: HStmt, operation: i16);
    5 forward SQLCancel(statement: HStmt);
    1022 connection(handle) SQLCancelHandle(handle_type: i16, handle: Handle);
    1003 forward SQLCloseCursor(statement: HStmt);
    6 forward SQLColAttributeW(statement: HStmt, column: u16, field: u16, text: Pointer, capacity: i16, length: *mut i16, number: *mut Len);
    56 forward SQLColumnPrivilegesW(statement: HStmt, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, table: *mut WChar, table_length: i16, column: *mut WChar, column_length: i16);
    40 forward SQLColumnsW(statement: HStmt, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, table: *mut WChar, table_length: i16, column: *mut WChar, column_length: i16);
    7 custom(connect::connect) SQLConnectW(connection: HDbc, data_source: *mut WChar, data_source_length: i16, user: *mut WChar, user_length: i16, password: *mut WChar, password_length: i16);
    1004 forward SQLCopyDesc(source: HDesc, destination: HDesc);
    8 forward SQLDescribeColW(statement: HStmt, column: u16, name: *mut WChar, capacity: i16, length: *mut i16, sql_type: *mut i16, size: *mut ULen, digits: *mut i16, nullable: *mut i16);
    58 forward SQLDescribeParam(statement: HStmt, parameter: u16, sql_type: *mut i16, size: *mut ULen, digits: *mut i16, nullable: *mut i16);
    9 connection(connection) SQLDisconnect(connection: HDbc);
    41 custom(connect::driver_connect) SQLDriverConnectW(connection: HDbc, window: Pointer, string: *mut WChar, string_length: i16, buffer: *mut WChar, capacity: i16, length: *mut i16, completion: u16);
    1005 connection(handle) SQLEndTran(handle_type: i16, handle: Handle, completion: i16);
    11 forward SQLExecDirectW(statement: HStmt, text: *mut WChar, length: i32);
    12 forward SQLExecute(statement: HStmt);
    59 forward SQLExtendedFetch(statement: HStmt, orientation: u16, offset: Len, rows: *mut ULen, status: *mut u16);
    13 forward SQLFetch(statement: HStmt);
    1021 forward SQLFetchScroll(statement: HStmt, orientation: i16, offset: Len);
    60 forward SQLForeignKeysW(statement: HStmt, pk_catalog: *mut WChar, pk_catalog_length: i16, pk_schema: *mut WChar, pk_schema_length: i16, pk_table: *mut WChar, pk_table_length: i16, fk_catalog: *mut WChar, fk_catalog_length: i16, fk_schema: *mut WChar, fk_schema_length: i16, fk_table: *mut WChar, fk_table_length: i16);
    1006 custom(answers::free_handle) SQLFreeHandle(handle_type: i16, handle: Handle) absent(absent::free_handle);
    16 forward SQLFreeStmt(statement: HStmt, option: u16);
    1007 connection(connection) SQLGetConnectAttrW(connection: HDbc, attribute: i32, value: Pointer, capacity: i32, length: *mut i32);
    42 connection(connection) SQLGetConnectOptionW(connection: HDbc, option: u16, value: Pointer) lacking(lacking::get_connect_option);
    17 forward SQLGetCursorNameW(statement: HStmt, name: *mut WChar, capacity: i16, length: *mut i16);
    43 forward SQLGetData(statement: HStmt, column: u16, c_type: i16, value: Pointer, capacity: Len, indicator: *mut Len);
    1008 forward SQLGetDescFieldW(descriptor: HDesc, record: i16, field: i16, value: Pointer, capacity: i32, length: *mut i32);
    1009 forward SQLGetDescRecW(descriptor: HDesc, record: i16, name: *mut WChar, capacity: i16, length: *mut i16, sql_type: *mut i16, subtype: *mut i16, octets: *mut Len, precision: *mut i16, scale: *mut i16, nullable: *mut i16);
    1010 custom(diagnostics::get_diag_field) SQLGetDiagFieldW(handle_type: i16, handle: Handle, number: i16, field: i16, value: Pointer, capacity: i16, length: *mut i16) absent(absent::get_diag_field);
    1011 custom(diagnostics::get_diag_rec) SQLGetDiagRecW(handle_type: i16, handle: Handle, number: i16, state: *mut WChar, native_error: *mut i32, text: *mut WChar, capacity: i16, length: *mut i16) absent(absent::get_diag_rec);
    1012 custom(answers::get_env_attr) SQLGetEnvAttr(environment: HEnv, attribute: i32, value: Pointer, capacity: i32, length: *mut i32) absent(absent::get_env_attr);
    44 custom(answers::get_functions) SQLGetFunctions(connection: HDbc, function: u16, supported: *mut u16) lacking(lacking::functions);
    45 connection(connection) SQLGetInfoW(connection: HDbc, information: u16, value: Pointer, capacity: i16, length: *mut i16);
    1014 forward SQLGetStmtAttrW(statement: HStmt, attribute: i32, value: Pointer, capacity: i32, length: *mut i32);
    47 forward SQLGetTypeInfoW(statement: HStmt, sql_type: i16);
    61 forward SQLMoreResults(statement: HStmt);
    62 connection(connection) SQLNativeSqlW(connection: HDbc, text: *mut WChar, text_length: i32, buffer: *mut WChar, capacity: i32, length: *mut i32);
    63 forward SQLNumParams(statement: HStmt, count: *mut i16);
    18 forward SQLNumResultCols(statement: HStmt, count: *mut i16);
    48 forward SQLParamData(statement: HStmt, value: *mut Pointer);
    64 forward SQLParamOptions(statement: HStmt, rows: ULen, row: *mut ULen);
    19 forward SQLPrepareW(statement: HStmt, text: *mut WChar, length: i32);
    65 forward SQLPrimaryKeysW(statement: HStmt, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, table: *mut WChar, table_length: i16);
    66 forward SQLProcedureColumnsW(statement: HStmt, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, procedure: *mut WChar, procedure_length: i16, column: *mut WChar, column_length: i16);
    67 forward SQLProceduresW(statement: HStmt, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, procedure: *mut WChar, procedure_length: i16);
    49 forward SQLPutData(statement: HStmt, data: Pointer, length: Len);
    20 forward SQLRowCount(statement: HStmt, count: *mut Len);
    1016 custom(answers::set_connect_attr) SQLSetConnectAttr(connection: HDbc, attribute: i32, value: Pointer, length: i32) absent(absent::set_connect_attr);
    1016 custom(answers::set_connect_attr_w) SQLSetConnectAttrW(connection: HDbc, attribute: i32, value: Pointer, length: i32) absent(absent::set_connect_attr);
    50 custom(answers::set_connect_option_w) SQLSetConnectOptionW(connection: HDbc, option: u16, value: ULen) lacking(lacking::set_connect_option);
    21 forward SQLSetCursorNameW(statement: HStmt, name: *mut WChar, length: i16);
    1017 forward SQLSetDescFieldW(descriptor: HDesc, record: i16, field: i16, value: Pointer, length: i32);
    1018 forward SQLSetDescRec(descriptor: HDesc, record: i16, sql_type: i16, subtype: i16, octets: Len, precision: i16, scale: i16, data: Pointer, length: *mut Len, indicator: *mut Len);
    1019 connection(environment) SQLSetEnvAttr(environment: HEnv, attribute: i32, value: Pointer, length: i32) absent(absent::set_env_attr);
    68 forward SQLSetPos(statement: HStmt, row: ULen, operation: u16, lock: u16);
    69 forward SQLSetScrollOptions(statement: HStmt, concurrency: u16, keyset_rows: Len, rowset_rows: u16);
    1020 forward SQLSetStmtAttrW(statement: HStmt, attribute: i32, value: Pointer, length: i32);
    52 forward SQLSpecialColumnsW(statement: HStmt, kind: u16, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, table: *mut WChar, table_length: i16, scope: u16, nullable: u16);
    53 forward SQLStatisticsW(statement: HStmt, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, table: *mut WChar, table_length: i16, unique: u16, accuracy: u16);
    70 forward SQLTablePrivilegesW(statement: HStmt, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, table: *mut WChar, table_length: i16);
    54 forward SQLTablesW(statement: HStmt, catalog: *mut WChar, catalog_length: i16, schema: *mut WChar, schema_length: i16, table: *mut WChar, table_length: i16, types: *mut WChar, types_length: i16);
}
