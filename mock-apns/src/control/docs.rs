//! The API describes itself: OpenAPI 3.1 at `/v1/openapi.json`, to be read and tried at `/docs`.

use axum::{Router, response::Redirect, routing::get};
use bytes::Bytes;
use utoipa::openapi::{
    Components, ComponentsBuilder, Info, License, OpenApi, OpenApiBuilder, Paths, Tag, tag::TagBuilder,
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{Control, error, extract::file};

/// What the document says before its paths.
pub(super) fn about() -> OpenApi {
    let mut info = Info::new("mock-apns control API", env!("CARGO_PKG_VERSION"));
    info.description = Some(DESCRIPTION.to_owned());
    info.license = Some(License::new(env!("CARGO_PKG_LICENSE")));
    OpenApiBuilder::new()
        .info(info)
        .paths(Paths::new())
        .components(Some(components()))
        .tags(Some(TAGS.iter().map(|(name, about)| tag(name, about))))
        .build()
}

/// The document, and a page to browse it.
pub(super) fn routes(mut openapi: OpenApi) -> Router<Control> {
    name_operations(&mut openapi);
    let document = Bytes::from(
        serde_json::to_vec(&openapi).expect("a document has string keys and no values that fail"),
    );
    let config = Config::new(["/v1/openapi.json"]).try_it_out_enabled(true).validator_url("none");
    Router::new()
        .route("/v1/openapi.json", get(async move || file("application/json", document)))
        .route("/", get(async || Redirect::temporary("/docs")))
        .merge(Router::from(SwaggerUi::new("/docs").config(config)))
}

/// A handler is called what it does, and an operation in the document also what it does it to: generated clients want
/// names of their own.
fn name_operations(openapi: &mut OpenApi) {
    for path in openapi.paths.paths.values_mut() {
        let methods = [&mut path.get, &mut path.put, &mut path.post, &mut path.delete, &mut path.patch];
        for operation in methods.into_iter().flatten() {
            let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
            let name = operation.operation_id.take().unwrap_or_default().replace('_', "-");
            operation.operation_id = Some(format!("{tag}-{name}"));
        }
    }
}

fn components() -> Components {
    error::schemas()
        .into_iter()
        .fold(ComponentsBuilder::new(), |components, (name, schema)| components.schema(name, schema))
        .build()
}

fn tag(name: &str, about: &str) -> Tag {
    TagBuilder::new().name(name).description(Some(about)).build()
}

const DESCRIPTION: &str = "Everything that a test needs of a mock-apns that runs. \
    Nearly every operation is about one team: the one that the parameter `team` names, or else the ready-made one. \
    Times are milliseconds since 1970 by the team's clock; durations are written `5s`, `20m`, `28d`. \
    Unknown fields and parameters are refused by name. Nothing is ever sent to Apple or to a real device.";

/// The resources, in the order in which a test meets them.
const TAGS: &[(&str, &str)] = &[
    ("info", "What runs here, and where."),
    ("teams", "The unit of isolation: a test makes a team of its own and shares nothing."),
    ("keys", "For provider tokens."),
    ("certificates", "The CA, provider certificates good and bad, device certificates."),
    ("apps", "What a team may push to."),
    ("devices", "What pushes lead to."),
    ("tokens", "Device tokens: what they lead to, and what is answered for them."),
    ("notifications", "What was pushed, accepted or refused, and what has become of it."),
    ("explain", "Why a request is answered as it is, rule by rule."),
    ("connections", "Who is connected."),
    ("events", "Everything that happens, as it happens."),
    ("faults", "What goes wrong on purpose."),
    ("scenarios", "Bad days, ready-made and anybody's: settings, faults, and what happens at its time."),
    ("replay", "A run as lines of its journals, and its answers given again."),
    ("clock", "The team's time, which a test turns."),
    ("settings", "What nobody knows of Apple's servers."),
    ("state", "All of it at once: declare, reset, keep."),
    ("health", "Whether it is ready."),
    ("metrics", "What was counted, for Prometheus."),
];
