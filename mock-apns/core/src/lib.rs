//! mock-apns/core
