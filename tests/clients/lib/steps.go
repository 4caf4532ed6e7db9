// SPDX-License-Identifier: Apache-2.0
// Steps of a tour in Go: each prints "ok - WORDS" or "not ok - WORDS: REASON", which tests/clients/run counts.
package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

const mostLooks = 600 // of awaitThat

// step runs one step. It fails with the error that the body returns or panics with, and the tour goes on.
func step(words string, body func() error) {
	fault := func() (fault error) {
		defer func() {
			if got := recover(); got != nil {
				fault = fmt.Errorf("panic: %v", got)
			}
		}()
		return body()
	}()
	if fault == nil {
		fmt.Printf("ok - %s\n", words)
		return
	}
	reason := strings.Join(strings.Fields(fault.Error()), " ")
	if len(reason) > 400 {
		reason = reason[:400]
	}
	fmt.Printf("not ok - %s: %s\n", words, reason)
}

func endTour() { fmt.Println("ok - end of tour") }

func same[T comparable](got, wanted T) error {
	if got != wanted {
		return fmt.Errorf("got %v instead of %v", got, wanted)
	}
	return nil
}

// refused returns nil if the error holds the wanted text.
func refused(got error, wanted string) error {
	if got == nil {
		return fmt.Errorf("answered instead of refusing with %q", wanted)
	}
	if !strings.Contains(got.Error(), wanted) {
		return fmt.Errorf("refused with %q instead of %q", got, wanted)
	}
	return nil
}

// must ends the step with the error, if there is one.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// done is must for calls that only return an error.
func done(err error) {
	if err != nil {
		panic(err)
	}
}

// awaitThat looks until the condition holds.
func awaitThat(words string, holds func() bool) {
	for n := 0; n < mostLooks; n++ {
		if holds() {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	panic(words + " did not come true")
}

func env(name string) string { return os.Getenv(name) }
