//! provider/core
