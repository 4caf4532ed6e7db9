/* SPDX-License-Identifier: Apache-2.0
 * Access logs, as the proxy's step sees them. */
#pragma once

#include "base/result.h"

struct elastic_load_balancer;
struct step;

/* In the step of a proxy that runs: has its reports read if the load balancer has access logs, else ends that. */
RESULT access_log_follow(struct step *s, const struct elastic_load_balancer *balancer);
/* Before the proxy is removed: what was received gets its file. */
void access_log_end(struct step *s);
