/* SPDX-License-Identifier: Apache-2.0
 * Launches of AutoScale groups, which are read again after their call was answered. For the reconciler's configuration. */
#pragma once

#include "reconcile/reconcile.h"

reconcile_read_scaling cloudstack_read_later_group;
