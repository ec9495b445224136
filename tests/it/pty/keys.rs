//! Keys as tests write them, turned into the bytes that a terminal sends.

/// The bytes of keys with spaces between them: `j`, `S`, `checkout@prod` (each character a key), `<ret>`, `<c-d>`, `<a-x>`, `<up>`.
pub fn bytes(keys: &str) -> Vec<u8> {
    keys.split(' ').filter(|key| !key.is_empty()).flat_map(key).collect()
}

fn key(key: &str) -> Vec<u8> {
    let Some(name) = key.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).filter(|name| !name.is_empty()) else {
        return key.as_bytes().to_vec();
    };
    if let Some(letter) = name.strip_prefix("c-") {
        let letter = letter.bytes().next().unwrap_or_default().to_ascii_lowercase();
        return vec![letter & 0x1f];
    }
    if let Some(rest) = name.strip_prefix("a-") {
        return [b"\x1b", rest.as_bytes()].concat();
    }
    let sent: &[u8] = match name {
        "ret" => b"\r",
        "esc" => b"\x1b",
        "tab" => b"\t",
        "s-tab" => b"\x1b[Z",
        "space" => b" ",
        "bs" => b"\x7f",
        "del" => b"\x1b[3~",
        "up" => b"\x1b[A",
        "down" => b"\x1b[B",
        "right" => b"\x1b[C",
        "left" => b"\x1b[D",
        "home" => b"\x1b[H",
        "end" => b"\x1b[F",
        "pgup" => b"\x1b[5~",
        "pgdn" => b"\x1b[6~",
        "f1" => b"\x1bOP",
        "lt" => b"<",
        "gt" => b">",
        _ => panic!("no key is called <{name}>"),
    };
    sent.to_vec()
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn keys_become_what_a_terminal_sends() {
        assert_eq!(bytes("j j s 0 <ret>"), b"jjs0\r");
        assert_eq!(bytes("<c-d> <c-c> <esc> <up> <a-x> <lt> R"), b"\x04\x03\x1b\x1b[A\x1bx<R");
        assert_eq!(bytes("checkout@prod < >"), b"checkout@prod<>");
    }

    #[test]
    #[should_panic(expected = "no key is called <retrun>")]
    fn a_wrong_name_is_told() {
        bytes("<retrun>");
    }
}
