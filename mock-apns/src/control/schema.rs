//! How the words of the core are described in the OpenAPI document: from the tables that they are read by.

use std::borrow::Cow;

use mock_apns_core::Named;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// Declares the schema of a type whose values have names.
macro_rules! words {
    ($($name:ident $title:literal $meaning:literal;)*) => {$(
        #[doc = $meaning]
        pub(super) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let values = <mock_apns_core::$name as Named>::VALUES.iter().map(|value| value.name());
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some(values))
                    .description(Some($meaning))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($title)
            }
        }
    )*};
}

words! {
    Environment "Environment" "Sandbox for builds from Xcode, production for the App Store, TestFlight and the enterprise.";
    TokenKind "TokenKind" "What a device token is for. An app has one token for each kind that it registers for.";
    DeviceState "DeviceState" "Whether a device can be reached; one that saves power lets what is not urgent wait.";
    NewTokens "NewTokensCause" "What makes the apps of a device get other tokens when they register next.";
    PushType "PushType" "The `apns-push-type` of a push.";
}
