//! The real driver: its functions in their slots, loading it, and the absent target that replaces it if it cannot be
//! loaded.

pub mod absent;
pub mod lacking;
pub mod loading;
pub mod odbc;
pub mod output;
pub mod slots;
pub mod state;
