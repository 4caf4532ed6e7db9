/* SPDX-License-Identifier: Apache-2.0
 * For code that waits for other actors: with a stepped executor, nothing happens while the stepping thread
 * waits. */
#pragma once

#include "base/exec.h"

/* True if jobs run only by executor_step(). Any thread. */
bool executor_is_stepped(const struct executor *ex);
