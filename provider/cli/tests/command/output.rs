//! What becomes of a command whose output nobody takes.

use std::{fs::File, io::pipe};

use crate::desk::{Desk, KEY, run};

#[tokio::test]
async fn whoever_closes_the_pipe_has_read_enough() {
    let desk = Desk::new().await;
    let send = format!("send {} {KEY} --device-token {} --alert Hi", desk.to(), desk.token("sandbox"));
    let validate = "validate --alert Hi".to_owned();
    for (arguments, code) in [(validate, 0), ("validate --json".to_owned(), 2), (send, 0)] {
        let mut command = desk.command(&arguments);
        let (near, far) = pipe().unwrap();
        drop(near);
        // Without `stdout(piped())` the output has only what went to standard error.
        let output = tokio::task::spawn_blocking(move || {
            command.stdout(far).stderr(std::process::Stdio::piped()).spawn().unwrap().wait_with_output()
        });
        let output = output.await.unwrap().unwrap();
        assert_eq!((output.status.code(), &output.stderr[..]), (Some(code), &b""[..]), "{arguments}");
    }
}

#[tokio::test]
async fn a_closed_standard_error_changes_no_exit_code() {
    let desk = Desk::new().await;
    let mut command = desk.command("validate");
    let (near, far) = pipe().unwrap();
    drop(near);
    let status = tokio::task::spawn_blocking(move || command.stderr(far).status().unwrap()).await.unwrap();
    assert_eq!(status.code(), Some(2));
}

#[tokio::test]
async fn a_result_that_cannot_be_written_is_told() {
    let desk = Desk::new().await;
    // Linux: a disk that is full.
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let send = format!("send {} {KEY} --device-token {} --alert Hi", desk.to(), desk.token("sandbox"));
    // The exit code of `send` says what became of the push.
    for (arguments, code) in [("validate --alert Hi".to_owned(), 2), (send, 0)] {
        let mut command = desk.command(&arguments);
        let stderr = desk.path("stderr");
        let errors = File::create(&stderr).unwrap();
        let full = full();
        let status =
            tokio::task::spawn_blocking(move || command.stdout(full).stderr(errors).status().unwrap());
        let (status, stderr) = (status.await.unwrap(), std::fs::read_to_string(stderr).unwrap());
        assert_eq!(
            (status.code(), stderr.contains("standard output: ")),
            (Some(code), true),
            "{arguments}: {stderr}"
        );
    }
}

#[tokio::test]
async fn input_that_has_no_end_is_not_cut_in_silence() {
    let desk = Desk::new().await;
    for arguments in ["validate --payload /dev/zero", "validate --payload -"] {
        let mut command = desk.command(arguments);
        command.stdin(File::open("/dev/zero").unwrap());
        let ran = run(command).await;
        assert_eq!((ran.code, ran.stderr.contains("more than 1048576 bytes")), (Some(2), true), "{ran:?}");
    }
}
