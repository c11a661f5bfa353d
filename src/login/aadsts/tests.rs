//! The table is complete, says each thing once, and keeps its tone.

use std::collections::BTreeSet;

use super::*;

/// Every code that Entra is known to answer a sign-in, a code or a refresh token with, and 90015 for an address too long.
#[rustfmt::skip]
const KNOWN: [u32; 124] = [
    16_000, 28_002, 28_003, 40_010, 50_011, 50_012, 50_020, 50_033, 50_034, 50_049, 50_053, 50_055, 50_056, 50_057,
    50_058, 50_059, 50_068, 50_070, 50_071, 50_072, 50_074, 50_076, 50_078, 50_079, 50_089, 50_097, 50_105, 50_126,
    50_131, 50_132, 50_133, 50_140, 50_144, 50_146, 50_147, 50_158, 50_173, 50_194, 50_196, 50_199, 51_004, 53_000,
    53_001, 53_002, 53_003, 53_004, 53_011, 54_005, 65_001, 65_004, 65_005, 70_000, 70_001, 70_002, 70_008, 70_011,
    70_016, 70_018, 70_019, 70_021, 70_043, 90_002, 90_006, 90_009, 90_012, 90_014, 90_015, 90_019, 90_024, 90_033,
    90_038, 90_055, 90_090, 90_094, 90_095, 90_119, 90_120, 90_130, 500_011, 500_021, 500_022, 500_208, 500_212,
    500_213, 501_461, 501_481, 501_491, 530_032, 530_035, 650_052, 650_056, 650_057, 700_005, 700_016, 700_022,
    700_023, 700_024, 700_025, 700_027, 700_030, 700_054, 700_082, 700_084, 700_211, 700_212, 700_213, 700_229,
    900_144, 900_382, 900_432, 900_439, 900_561, 900_971, 901_002, 7_000_112, 7_000_215, 7_000_218, 7_000_222,
    9_001_023, 9_002_313, 9_002_326, 9_002_327, 9_002_332, 9_002_341,
];

/// Those that can't come of what Cedargate asks: signing in on a device without a browser, looking for an instance, and
/// signing out at Entra.
const NEVER_ASKED_FOR: [u32; 9] =
    [50_049, 50_068, 50_070, 50_071, 70_016, 70_018, 70_019, 90_119, 90_120];

#[test]
fn every_code_that_can_come_has_a_row() {
    for code in KNOWN {
        let expected = !NEVER_ASKED_FOR.contains(&code);
        assert_eq!(words_of(code).is_some(), expected, "AADSTS{code}");
    }
    assert_eq!(words_of(123_456), None);
}

#[test]
fn no_code_has_two_rows_and_no_two_rows_say_the_same() {
    let codes: Vec<u32> = table().flat_map(|row| row.codes).copied().collect();
    let distinct: BTreeSet<u32> = codes.iter().copied().collect();
    assert_eq!(codes.len(), distinct.len(), "a code has two rows");
    assert!(table().all(|row| !row.codes.is_empty()));
    let sentences: BTreeSet<&str> = table().map(|row| row.words.sentence).collect();
    assert_eq!(sentences.len(), table().count(), "two rows say the same");
}

#[test]
fn rows_are_short_plain_and_calm() {
    let words = table().map(|row| row.words).chain([OTHERS]);
    for Words { title, sentence, advice, mender, .. } in words {
        assert!(title.len() <= 60 && !title.ends_with('.'), "{title}");
        for text in [sentence, advice] {
            assert!(text.ends_with('.') && text.len() <= 120, "{text}");
        }
        for text in [title, sentence, advice] {
            assert!(text.chars().next().unwrap().is_uppercase(), "{text}");
            for word in ["!", "AADSTS", "application", "lease", "orry", "nvalid", "error"] {
                assert!(!text.contains(word), "`{word}` in {text}");
            }
        }
        if mender == Mender::Service {
            assert!(advice.contains("people wh"), "whom to tell: {advice}");
        }
    }
}

#[test]
fn another_account_is_asked_for_where_only_that_helps() {
    for code in KNOWN {
        let other = words_of(code).is_some_and(|words| words.again == Again::OtherAccount);
        assert_eq!(other, [16_000, 50_020, 50_034, 51_004, 500_208].contains(&code), "{code}");
    }
}
