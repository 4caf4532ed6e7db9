/* SPDX-License-Identifier: Apache-2.0
 * Tokens of an issuer, id.example.com/shop, and its keys. They were made once, with two keys that are thrown
 * away. */
#pragma once

#include "base/clock.h"

#define MADE_US (INT64_C(1800000000) * SECOND)

/* Good for an hour, of key "one"; the next bears the same name, and another key signed it. */
static const char good[] = "eyJhbGciOiJFUzI1NiIsImtpZCI6Im9uZSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV"
			   "4YW1wbGUuY29tL3Nob3AvIiwic3ViIjoicmVwbzpzaG9wIiwiYXVkIjpbInRpbGwiLCJkZXNrIl0sIml"
			   "hdCI6MTgwMDAwMDAwMCwiZXhwIjoxODAwMDAzNjAwLCJhZG1pbiI6dHJ1ZSwibGV2ZWwiOjd9.Hb_8sN"
			   "nQMWndhLDCXa7clICG19b5CG3gRs-K7rjMYxK_OYqkdyvBYcP0tEVNxielFjTl47HijM_jcbVXaHrTFg";

static const char of_other_key[] =
	"eyJhbGciOiJFUzI1NiIsImtpZCI6Im9uZSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV"
	"4YW1wbGUuY29tL3Nob3AvIiwic3ViIjoicmVwbzpzaG9wIiwiYXVkIjpbInRpbGwiLCJkZXNrIl0sIml"
	"hdCI6MTgwMDAwMDAwMCwiZXhwIjoxODAwMDAzNjAwLCJhZG1pbiI6dHJ1ZSwibGV2ZWwiOjd9.OnjImQ"
	"J4C7UzKHuCQjH3QSOAs7Tj8Sm1eBvUJi9hBKxXG8WrUxjVLKdodntaIgK89fneTTyzuOiCU4O8VERgJA";

/* The issuer's keys; and the first by another name. */
static const char key_set[] =
	"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"one\",\"x\":\"3Ujvw4-Uwob"
	"t3Iha2K7bmD0G5ynknusXqJ_8srz3oeQ\",\"y\":\"gtO8lEZNdaU44jqQT-9_Bk9M-BIquKQ9PVXIs"
	"pOFzfI\"},{\"kty\":\"RSA\",\"kid\":\"two\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}";

static const char other_names[] =
	"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"three\",\"x\":\"3Ujvw4-Uw"
	"obt3Iha2K7bmD0G5ynknusXqJ_8srz3oeQ\",\"y\":\"gtO8lEZNdaU44jqQT-9_Bk9M-BIquKQ9PVX"
	"IspOFzfI\"}]}";
