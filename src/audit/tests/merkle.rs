//! The tree against the vectors of RFC 6962's own implementations, and against itself.

use proptest::prelude::*;

use super::super::merkle::{Hash, Peaks, Window, leaf_hash, root_from_inclusion};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The leaves and roots of Certificate Transparency's reference tests (`merkletree_test.go`, `merkle_tree_test.cc`).
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn roots_are_those_of_rfc_6962() {
    let mut tree = Peaks::default();
    assert_eq!(hex(&tree.root()), ROOTS[0]);
    for (leaf, root) in LEAVES.iter().zip(&ROOTS[1..]) {
        tree.push(leaf_hash(leaf));
        assert_eq!(hex(&tree.root()), *root);
    }
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
}

fn tree(leaves: &[Hash]) -> Peaks {
    let mut tree = Peaks::default();
    for leaf in leaves {
        tree.push(*leaf);
    }
    tree
}

proptest! {
    #[test]
    fn every_leaf_of_a_window_has_a_path_that_leads_to_the_root_and_no_other_leaf_has_it(
        size in 1_u64..300, from in 0_u64..300, index in 0_u64..300, wrong in 0_u64..300,
    ) {
        let (from, leaves) = (from % size, leaves(size));
        let index = from + index % (size - from);
        let split = usize::try_from(from).unwrap();
        let window = Window::new(tree(&leaves[..split]), leaves[split..].to_vec());
        let path = window.inclusion(index).unwrap();
        let root = tree(&leaves).root();
        let leaf = leaves[usize::try_from(index).unwrap()];
        prop_assert_eq!(root_from_inclusion(leaf, index, size, &path), Some(root));
        let wrong = wrong % size;
        if wrong != index {
            prop_assert_ne!(root_from_inclusion(leaf, wrong, size, &path), Some(root));
        }
        prop_assert_eq!(window.inclusion(size), None);
        if let Some(before) = from.checked_sub(1) {
            prop_assert_eq!(window.inclusion(before), None);
        }
    }

    #[test]
    fn a_tree_goes_on_from_its_peaks(size in 0_u64..500, more in 0_u64..50) {
        let all = leaves(size + more);
        let split = usize::try_from(size).unwrap();
        let before = tree(&all[..split]);
        let mut again = Peaks::from_bytes(size, &before.to_bytes()).unwrap();
        prop_assert_eq!(&again, &before);
        for leaf in &all[split..] {
            again.push(*leaf);
        }
        prop_assert_eq!(again, tree(&all));
        prop_assert_eq!(Peaks::from_bytes(size + 1, &before.to_bytes()).is_some(),
            (size + 1).count_ones() == size.count_ones());
    }

    #[test]
    fn subtrees_stand_in_for_their_leaves_where_they_fit(size in 0_u64..200, level in 0_u32..6) {
        let width = 1_u64 << level;
        let all = leaves(size + width);
        let split = usize::try_from(size).unwrap();
        let mut short = tree(&all[..split]);
        let part = tree(&all[split..]).root();
        let fits = size.is_multiple_of(width);
        prop_assert_eq!(short.push_subtree(level, part), fits);
        if fits {
            prop_assert_eq!(short, tree(&all));
        }
    }
}
