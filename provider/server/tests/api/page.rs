//! The operator's page: what is served of it, and how. What it does is tested in a browser, by interop/clients/operator_page.mjs.

use http::Method;

use crate::server::Server;

const FILES: [(&str, &str); 4] = [
    ("/", "text/html; charset=utf-8"),
    ("/page.css", "text/css; charset=utf-8"),
    ("/page.js", "text/javascript; charset=utf-8"),
    ("/show.js", "text/javascript; charset=utf-8"),
];

#[tokio::test]
async fn anybody_may_load_it_and_nothing_else_is_loaded_by_it() {
    let server = Server::start().await;
    for (path, kind) in FILES {
        let reply = server.nobody().get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        for (name, value) in [
            ("cache-control", "no-cache"),
            ("content-type", kind),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            (
                "content-security-policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                 frame-ancestors 'none'",
            ),
        ] {
            assert_eq!(reply.headers[name], value, "{path}");
        }
        assert!(!reply.text.contains("://"), "{path} names another place");
    }
}

/// What the policy would not let run must not be there.
#[tokio::test]
async fn the_page_has_no_script_and_no_style_within() {
    let server = Server::start().await;
    let page = server.nobody().get("/").await.text;
    for (absent, what) in [(" style=", "a style"), ("<style", "a style"), (" on", "a handler")] {
        let tags = page.split('<').filter_map(|tag| tag.split_once('>')).map(|(tag, _)| format!("<{tag}"));
        assert_eq!(tags.filter(|tag| tag.contains(absent)).collect::<Vec<_>>(), [""; 0], "{what}");
    }
    assert!(
        page.matches("<script").count() == 1
            && page.contains(r#"<script src="/page.js" type="module"></script>"#)
    );
    let (script, show) = (server.nobody().get("/page.js").await, server.nobody().get("/show.js").await);
    let script = script.text + &show.text;
    for absent in ["innerHTML", "insertAdjacentHTML", "document.write", "eval("] {
        assert!(!script.contains(absent), "{absent}");
    }
}

#[tokio::test]
async fn head_is_answered_without_a_body_and_other_methods_and_paths_are_not() {
    let server = Server::start().await;
    let nobody = server.nobody();
    for (path, kind) in FILES {
        let head = nobody.ask(Method::HEAD, path, "").await;
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
        assert_eq!(head.headers["content-type"], kind, "{path}");
        assert_eq!(head.headers["content-length"], nobody.get(path).await.text.len().to_string(), "{path}");
        nobody.ask(Method::POST, path, "").await.refused(405, "method-not-allowed");
    }
    for path in ["/index.html", "/page", "/page.js/", "/favicon.ico"] {
        nobody.get(path).await.refused(404, "unknown-path");
    }
}

#[tokio::test]
async fn it_is_there_while_the_server_drains() {
    let server = Server::start().await;
    server.api.drain();
    assert_eq!(server.nobody().get("/").await.status, 200);
}
