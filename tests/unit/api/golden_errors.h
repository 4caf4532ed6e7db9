/* SPDX-License-Identifier: Apache-2.0
 * Failures of all faces as one line: "=> 400 InvalidVpc.Range: The CIDR …". The bytes of the whole answer
 * follow from the request and that line, and are compared with what the face has sent. */
#pragma once

#include "script.h"

struct golden_error {
	int status;
	struct str word, message; /* EC2's code, Neutron's type, Nova's name of a fault, others' title */
};

bool golden_error_read(struct arena *a, struct str line, struct golden_error *ret_error);
struct str golden_error_write(struct arena *a, const struct golden_error *error);

/* The answer of the face that the script's last call goes to. False: that face's failures have no such form.
 */
bool golden_error_render(struct arena *a, const struct script *s, const struct golden_error *error,
			 struct world_answer *ret_answer);
/* Reads a failure from the answer. False: the answer is not a failure in the API's format. */
bool golden_error_take(struct arena *a, const struct script *s, const struct world_answer *answer,
		       struct golden_error *ret_error);
