//! The model's apps: what becomes of their tokens.

use mock_apns_core::Cause;

use crate::call::Returned;

/// An app on a device, or one that was.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact that a rule asks for")]
pub(crate) struct App {
    installed: bool,
    registered: bool,
    /// How many tokens it was given.
    tokens: usize,
    /// Whether it is given another one when it registers next.
    new_token_due: bool,
    /// Whether its user lets it show notifications.
    allowed: bool,
    /// Whether APNs knows that the user does not.
    known_disabled: bool,
}

impl App {
    /// Installed, registered, and let show notifications.
    pub(crate) fn new() -> Self {
        Self {
            installed: true,
            registered: true,
            tokens: 1,
            new_token_due: false,
            allowed: true,
            known_disabled: false,
        }
    }

    pub(crate) fn tokens(&self) -> usize {
        self.tokens
    }

    pub(crate) fn is_known_disabled(&self) -> bool {
        self.known_disabled
    }

    /// Why its nth token leads nowhere; `None`: it leads here.
    pub(crate) fn knows_nothing_of(&self, nth: usize) -> Option<Cause> {
        if !self.installed {
            Some(Cause::Uninstalled)
        } else if self.new_token_due || nth != self.tokens {
            Some(Cause::NewToken)
        } else {
            (!self.registered).then_some(Cause::Unregistered)
        }
    }

    /// Put back, it starts anew.
    pub(crate) fn install(&mut self) {
        if !self.installed {
            self.installed = true;
            self.allowed = true;
            self.forget_tokens();
        }
    }

    pub(crate) fn uninstall(&mut self) -> Returned {
        self.if_installed(|app| {
            app.installed = false;
            Returned::Done
        })
    }

    pub(crate) fn set_permission(&mut self, allowed: bool) -> Returned {
        self.if_installed(|app| {
            app.allowed = allowed;
            Returned::Done
        })
    }

    /// APNs is told whether the user has switched its notifications off.
    pub(crate) fn tell(&mut self) {
        self.known_disabled = !self.allowed;
    }

    pub(crate) fn forget_tokens(&mut self) {
        self.registered = false;
        self.new_token_due = true;
    }

    /// Which of its tokens it has now; `None`: it is not installed.
    pub(crate) fn register(&mut self) -> Option<usize> {
        if !self.installed {
            return None;
        }
        self.registered = true;
        self.tokens += usize::from(self.new_token_due);
        self.new_token_due = false;
        Some(self.tokens)
    }

    pub(crate) fn unregister(&mut self) -> Returned {
        self.if_installed(|app| {
            let was_registered = std::mem::replace(&mut app.registered, false);
            if was_registered { Returned::Done } else { Returned::NotRegistered }
        })
    }

    fn if_installed(&mut self, change: impl FnOnce(&mut Self) -> Returned) -> Returned {
        if self.installed { change(self) } else { Returned::NotInstalled }
    }
}
