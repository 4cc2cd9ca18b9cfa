//! mock-apns
