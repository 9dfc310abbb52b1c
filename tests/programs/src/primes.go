// SPDX-License-Identifier: GPL-2.0-or-later

// Goroutines, channels, maps, garbage, a recovered nil dereference.
package main

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"runtime"
	"sort"
	"sync"
)

func sieve(n int) (out []int) {
	ch := make(chan int)
	go func(out chan int) {
		for i := 2; ; i++ {
			out <- i
		}
	}(ch)
	for i := 0; i < n; i++ {
		p := <-ch
		out = append(out, p)
		next := make(chan int)
		go func(in, out chan int) {
			for {
				if v := <-in; v%p != 0 {
					out <- v
				}
			}
		}(ch, next)
		ch = next
	}
	return
}

func recovered() (s string) {
	defer func() { s = fmt.Sprint("recovered: ", recover()) }()
	var p *struct{ a [10]int }
	return fmt.Sprint(p.a[3])
}

func main() {
	fmt.Println(sieve(60))
	var wg sync.WaitGroup
	var mu sync.Mutex
	count := map[int]int{}
	for g := 0; g < 16; g++ {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			for i := 0; i < 5000; i++ {
				b := make([]byte, 200+i%100)
				b[0] = byte(i)
				mu.Lock()
				count[i%10] += len(b) & g
				mu.Unlock()
			}
		}(g)
	}
	wg.Wait()
	runtime.GC()
	keys := []int{}
	for k := range count {
		keys = append(keys, k)
	}
	sort.Ints(keys)
	for _, k := range keys {
		fmt.Println(k, count[k])
	}
	fmt.Printf("%x\n", sha256.Sum256([]byte("emulated")))
	fmt.Println(new(big.Int).Exp(big.NewInt(3), big.NewInt(500), nil))
	fmt.Println(recovered())
}
