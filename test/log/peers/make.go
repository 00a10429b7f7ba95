// Command make writes a log with Go's own note and tlog packages, for Adyton to read: tiles, entries, checkpoints, proofs.
package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const origin = "go.example/log"

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(path string, data []byte) {
	must(os.MkdirAll(filepath.Dir(path), 0o755))
	must(os.WriteFile(path, data, 0o644))
}

func lines(hashes []tlog.Hash) []string {
	out := []string{}
	for _, hash := range hashes {
		out = append(out, hash.String())
	}
	return out
}

type proof struct {
	Index  int64    `json:"index"`
	First  int64    `json:"first"`
	Size   int64    `json:"size"`
	Hashes []string `json:"hashes"`
}

// Usage: make <folder> <size>... writes one log that grows through the sizes, and prints its keys and proofs.
func main() {
	folder := os.Args[1]
	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	must(err)
	signer, err := note.NewSigner(skey)
	must(err)
	other, otherKey, err := note.GenerateKey(rand.Reader, "go.example/other")
	must(err)
	second, err := note.NewSigner(other)
	must(err)

	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			out[i] = stored[index]
		}
		return out, nil
	})
	var entries []byte
	var size, before int64
	records, trees, sizes := []proof{}, []proof{}, []int64{}
	for _, arg := range os.Args[2:] {
		until, err := strconv.ParseInt(arg, 10, 64)
		must(err)
		for ; size < until; size++ {
			leaf := []byte(fmt.Sprintf("record %d", size))
			hashes, err := tlog.StoredHashes(size, leaf, reader)
			must(err)
			stored = append(stored, hashes...)
			entries = append(append(entries, byte(len(leaf)>>8), byte(len(leaf))), leaf...)
			if size%256 == 255 {
				write(filepath.Join(folder, fmt.Sprintf("tile/entries/%03d", size/256)), entries)
				entries = nil
			}
		}
		if size%256 != 0 {
			write(filepath.Join(folder, fmt.Sprintf("tile/entries/%03d.p/%d", size/256, size%256)), entries)
		}
		for _, tile := range tlog.NewTiles(8, before, size) {
			data, err := tlog.ReadTileData(tile, reader)
			must(err)
			path := fmt.Sprintf("tile/%d/%03d", tile.L, tile.N)
			if tile.W < 256 {
				path += fmt.Sprintf(".p/%d", tile.W)
			}
			write(filepath.Join(folder, path), data)
		}
		root, err := tlog.TreeHash(size, reader)
		must(err)
		text := fmt.Sprintf("%s\n%d\n%s\n", origin, size, root)
		signed, err := note.Sign(&note.Note{Text: text}, signer, second)
		must(err)
		write(filepath.Join(folder, fmt.Sprintf("checkpoint.%d", size)), signed)
		for index := int64(0); index < size; index++ {
			proved, err := tlog.ProveRecord(size, index, reader)
			must(err)
			records = append(records, proof{Index: index, Size: size, Hashes: lines(proved)})
		}
		for _, first := range sizes {
			proved, err := tlog.ProveTree(size, first, reader)
			must(err)
			trees = append(trees, proof{First: first, Size: size, Hashes: lines(proved)})
		}
		sizes = append(sizes, size)
		before = size
	}
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"vkey": vkey, "other": otherKey, "records": records, "trees": trees,
	}))
}
