// Command check opens an Adyton log with Go's own note and tlog packages: an opinion that shares no code with ours.
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Usage: check <vkey> <log folder> <proof file>
func main() {
	vkey, folder, proofFile := os.Args[1], os.Args[2], os.Args[3]
	verifier, err := note.NewVerifier(vkey)
	must(err)
	signed, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	must(err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)

	// Every leaf, straight from the entry bundles, through Go's tree.
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			out[i] = stored[index]
		}
		return out, nil
	})
	var index int64
	for bundle := int64(0); index < size; bundle++ {
		path := filepath.Join(folder, fmt.Sprintf("tile/entries/%03d", bundle))
		if width := size - bundle*256; width < 256 {
			path += fmt.Sprintf(".p/%d", width)
		}
		data, err := os.ReadFile(path)
		must(err)
		for len(data) > 0 {
			length := int(data[0])<<8 | int(data[1])
			hashes, err := tlog.StoredHashes(index, data[2:2+length], reader)
			must(err)
			stored = append(stored, hashes...)
			data = data[2+length:]
			index++
		}
	}
	derived, err := tlog.TreeHash(size, reader)
	must(err)
	if derived != root {
		must(fmt.Errorf("root: Go derives %v, the checkpoint says %v", derived, root))
	}

	// Every hash tile, byte for byte.
	for _, tile := range tlog.NewTiles(8, 0, size) {
		want, err := tlog.ReadTileData(tile, reader)
		must(err)
		path := filepath.Join(folder, fmt.Sprintf("tile/%d/%03d", tile.L, tile.N))
		if tile.W < 256 {
			path += fmt.Sprintf(".p/%d", tile.W)
		}
		got, err := os.ReadFile(path)
		if err != nil && tile.W < 256 {
			continue // a partial tile of an earlier size
		}
		must(err)
		if string(got) != string(want) {
			must(fmt.Errorf("tile %s differs", path))
		}
	}

	// The proof file.
	text, err := os.ReadFile(proofFile)
	must(err)
	head, rest, _ := strings.Cut(string(text), "\n\n")
	fields := strings.Split(head, "\n")
	leaf, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(fields[1], "extra "))
	must(err)
	proved, err := strconv.ParseInt(strings.TrimPrefix(fields[2], "index "), 10, 64)
	must(err)
	var proof tlog.RecordProof
	for _, line := range fields[3:] {
		hash, err := tlog.ParseHash(line)
		must(err)
		proof = append(proof, hash)
	}
	_, err = note.Open([]byte(rest), note.VerifierList(verifier))
	must(err)
	must(tlog.CheckRecord(proof, size, root, proved, tlog.RecordHash(leaf)))
	fmt.Printf("agreed: %d leaves\n", size)
}
