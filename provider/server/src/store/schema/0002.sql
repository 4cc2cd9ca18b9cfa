-- What was taken of rates: pushes of an app or for a user, pushes or background pushes to a device. Only of apps that have set some.
CREATE TABLE allowance (
    -- Of what, as the core numbers it.
    limited {small} NOT NULL,
    app_id {int} NOT NULL,
    -- 0, a hash of the user, the device, or a negative hash of the token.
    target {int} NOT NULL,
    -- Until when it is paid for (GCRA).
    paid_until {int} NOT NULL,
    -- The recipient that has taken last, of a device: it does not pay again.
    sequence {int},
    number {int},
    position {small},
    PRIMARY KEY (limited, app_id, target)
){keyed};
CREATE INDEX allowance_paid ON allowance (paid_until);
