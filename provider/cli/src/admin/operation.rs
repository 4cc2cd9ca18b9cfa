//! What the API can do, read from its description.

use http::Method;
use serde_json::Value;

/// An operation of the API.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// What it is about: `campaigns`.
    pub(super) group: String,
    /// What it does: `pause`.
    pub(super) name: String,
    pub(super) method: Method,
    /// With the names of [`path_parameters`](Self::path_parameters) in braces.
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) path_parameters: Vec<Parameter>,
    /// Those of the query and the headers.
    pub(super) options: Vec<Parameter>,
    pub(super) has_body: bool,
}

/// A parameter of an operation.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) is_header: bool,
}

/// All of them, in the order of the description.
pub(super) fn operations() -> Vec<Operation> {
    let document = apns_provider_server::api::openapi();
    let document = serde_json::to_value(document).expect("it is a document of JSON");
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.filter_map(move |(method, about)| operation(path, method, about))
        })
        .collect()
}

fn operation(path: &str, method: &str, about: &Value) -> Option<Operation> {
    let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).ok()?;
    let group = about["tags"][0].as_str()?.to_owned();
    let id = about["operationId"].as_str()?;
    let name = id.strip_prefix(&group)?.strip_prefix('-')?.to_owned();
    let text = |key: &str| about[key].as_str().unwrap_or_default().to_owned();
    let parameters = about["parameters"].as_array().into_iter().flatten();
    let (path_parameters, options) =
        parameters.filter_map(parameter).partition::<Vec<_>, _>(|(is_in_path, _)| *is_in_path);
    let parameters = |of: Vec<(bool, Parameter)>| of.into_iter().map(|(_, parameter)| parameter).collect();
    Some(Operation {
        group,
        name,
        method,
        path: path.to_owned(),
        summary: text("summary"),
        description: text("description"),
        path_parameters: parameters(path_parameters),
        options: parameters(options),
        has_body: about.get("requestBody").is_some(),
    })
}

/// A parameter, and whether it is part of the path.
fn parameter(about: &Value) -> Option<(bool, Parameter)> {
    let parameter = Parameter {
        name: about["name"].as_str()?.to_owned(),
        description: about["description"].as_str().unwrap_or_default().to_owned(),
        is_header: about["in"] == "header",
    };
    Some((about["in"] == "path", parameter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_what_the_description_says() {
        let operations = operations();
        let pause =
            operations.iter().find(|operation| operation.group == "campaigns" && operation.name == "pause");
        let pause = pause.unwrap();
        assert_eq!(pause.method, Method::POST);
        assert_eq!(pause.path, "/v1/apps/{bundle-id}/campaigns/{campaign-id}/pause");
        let names = |of: &[Parameter]| of.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&pause.path_parameters), ["bundle-id", "campaign-id"]);
        assert_eq!(names(&pause.options), ["apns-tenant"]);
        assert!(!pause.has_body);
    }
}
