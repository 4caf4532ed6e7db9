/* SPDX-License-Identifier: Apache-2.0
 * Error codes and messages of EC2 and STS: rows of api/core/problem.h, and the error documents. Any thread. */
#pragma once

#include "api/core/problem.h"
#include "auth/key/sigv4.h"

extern const struct api_errors ec2_errors, sts_errors;
/* EC2's by enum sigv4_fault: for a refused signature. */
extern const struct api_error ec2_faults[SIGV4_SCOPE + 1];

/* Functions of struct api_protocol. */
void ec2_word_problem(struct api_call *core, struct api_problem *problem);
RESULT ec2_write_problem(struct api_call *core, struct api_problem *problem, struct buf *body);
