//! Frames as they stand on the wire (RFC 9113, 4.1).

pub(crate) const DATA: u8 = 0x0;
pub(crate) const HEADERS: u8 = 0x1;
pub(crate) const PRIORITY: u8 = 0x2;
pub(crate) const SETTINGS: u8 = 0x4;
pub(crate) const PING: u8 = 0x6;
pub(crate) const GOAWAY: u8 = 0x7;
pub(crate) const WINDOW_UPDATE: u8 = 0x8;
pub(crate) const CONTINUATION: u8 = 0x9;
pub(crate) const END_STREAM: u8 = 0x1;
pub(crate) const ACK: u8 = 0x1;
pub(crate) const END_HEADERS: u8 = 0x4;

/// A frame.
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
    /// One that goes out right behind it.
    pub(crate) behind: Option<Box<Frame>>,
}

/// A parameter of SETTINGS.
pub(crate) enum Setting {
    MaxStreams(u32),
}

impl Frame {
    pub(crate) fn new(kind: u8, flags: u8, stream: u32, payload: Vec<u8>) -> Self {
        Self { kind, flags, stream, payload, behind: None }
    }

    pub(crate) fn is(&self, kind: u8) -> bool {
        self.kind == kind
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend(&(self.payload.len() as u32).to_be_bytes()[1..]);
        out.extend([self.kind, self.flags]);
        out.extend(self.stream.to_be_bytes());
        out.extend(&self.payload);
        if let Some(behind) = &self.behind {
            behind.write(out);
        }
    }
}

/// A SETTINGS frame.
pub(crate) fn settings(parameters: &[Setting]) -> Vec<u8> {
    let mut payload = Vec::new();
    for Setting::MaxStreams(streams) in parameters {
        payload.extend([0, 3]);
        payload.extend(streams.to_be_bytes());
    }
    let mut bytes = Vec::new();
    Frame::new(SETTINGS, 0, 0, payload).write(&mut bytes);
    bytes
}

/// Takes a whole frame off the beginning.
pub(crate) fn take_frame(bytes: &mut Vec<u8>) -> Option<Frame> {
    let head: [u8; 9] = *bytes.first_chunk()?;
    let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    if bytes.len() < 9 + len {
        return None;
    }
    let payload = bytes.drain(..9 + len).skip(9).collect();
    let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    Some(Frame::new(head[3], head[4], stream, payload))
}
