//! The API describes itself: OpenAPI 3.1 at `/v1/openapi.json`.

use axum::{Router, response::IntoResponse as _, routing::get};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use utoipa::openapi::{
    Components, ComponentsBuilder, Info, License, OpenApi, OpenApiBuilder, Paths, Required,
    SecurityRequirement, Tag,
    path::{Operation, ParameterBuilder, ParameterIn},
    schema::Type,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};

use super::{
    Api,
    access::{Needs, TENANT, needs},
    error,
};

/// What the document says before its paths.
pub(super) fn about() -> OpenApi {
    let mut info = Info::new("apns-provider server", env!("CARGO_PKG_VERSION"));
    info.description = Some(DESCRIPTION.to_owned());
    info.license = Some(License::new(env!("CARGO_PKG_LICENSE")));
    OpenApiBuilder::new()
        .info(info)
        .paths(Paths::new())
        .components(Some(components()))
        .tags(Some(TAGS.iter().map(|(name, about)| tag(name, about))))
        .build()
}

/// Says in the document what the table of operations says.
pub(super) fn finished(mut openapi: OpenApi) -> OpenApi {
    for (path, item) in &mut openapi.paths.paths {
        let methods = [
            ("GET", &mut item.get),
            ("PUT", &mut item.put),
            ("POST", &mut item.post),
            ("DELETE", &mut item.delete),
        ];
        for (method, operation) in methods {
            if let Some(operation) = operation {
                name(operation);
                tell_needs(operation, needs(method, path));
            }
        }
    }
    openapi
}

/// The document.
pub(super) fn routes(openapi: &OpenApi) -> Router<Api> {
    let document =
        Bytes::from(serde_json::to_vec(openapi).expect("a document has string keys and no values that fail"));
    let answer = async move || ([(CONTENT_TYPE, "application/json")], document).into_response();
    Router::new().route("/v1/openapi.json", get(answer))
}

/// A handler is called what it does, and an operation in the document also what it does it to.
fn name(operation: &mut Operation) {
    let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
    let name = operation.operation_id.take().unwrap_or_default().replace('_', "-");
    operation.operation_id = Some(format!("{tag}-{name}"));
}

/// What the table of operations says, for whoever reads the document.
fn tell_needs(operation: &mut Operation, needs: Option<Needs>) {
    let permission = match needs {
        None | Some(Needs::Nothing) => return,
        Some(Needs::Operator(permission) | Needs::Tenant(permission)) => permission,
    };
    operation.security = Some(vec![SecurityRequirement::new(KEY, Vec::<String>::new())]);
    let whose = if matches!(needs, Some(Needs::Operator(_))) { " and a key of the operator" } else { "" };
    let needs_told = format!("Needs the permission `{permission}`{whose}.");
    operation.description = Some(match operation.description.take() {
        Some(text) if !text.is_empty() => format!("{text}\n\n{needs_told}"),
        _ => needs_told,
    });
    if whose.is_empty() {
        let tenant = ParameterBuilder::new()
            .name(TENANT)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("For an operator's key: which tenant is meant; left out, `default`."))
            .schema(Some(utoipa::openapi::ObjectBuilder::new().schema_type(Type::String)))
            .build();
        operation.parameters.get_or_insert_default().push(tenant.into());
    }
}

fn components() -> Components {
    let key = SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("apns_…")
            .description(Some("An API key."))
            .build(),
    );
    error::schemas()
        .into_iter()
        .fold(ComponentsBuilder::new(), |components, (name, schema)| components.schema(name, schema))
        .security_scheme(KEY, key)
        .build()
}

fn tag(name: &str, about: &str) -> Tag {
    TagBuilder::new().name(name).description(Some(about)).build()
}

const KEY: &str = "api-key";

const DESCRIPTION: &str = "A server that keeps device tokens and sends notifications to APNs. \
    Every operation but those of health wants an API key. What belongs to another tenant is answered as what never was. \
    Moments are written `2027-03-28T09:00:00.000Z`. Unknown fields and parameters are refused by name. \
    What was answered with a status below 300 is durable.";

/// The resources, in the order in which they are met.
const TAGS: &[(&str, &str)] = &[
    ("tenants", "Who shares nothing with others: for the operator."),
    ("keys", "API keys, and what they may do."),
    ("apps", "What is pushed to, by bundle ID."),
    ("credentials", "What apps authenticate with; never given out again."),
    ("devices", "Device tokens, and what is known of them."),
    ("users", "Who uses devices."),
    ("templates", "Payloads with placeholders, in several languages."),
    ("notifications", "What is sent, to whom, when, and what became of it."),
    ("campaigns", "Notifications to many: progress, pace, pause."),
    ("channels", "Broadcast channels of Live Activities, which APNs keeps."),
    ("dead-letters", "What somebody should look at, and may send again."),
    ("webhooks", "Whom to tell of what happens."),
    ("audit", "Who changed what."),
    ("queue", "What waits, and what became of the rest."),
    ("tuning", "What can be turned while it runs: for the operator."),
    ("health", "Whether it runs, and is ready; what was counted."),
];
