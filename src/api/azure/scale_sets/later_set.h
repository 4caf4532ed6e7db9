/* SPDX-License-Identifier: Apache-2.0
 * Launches of scale sets, which are read again after their call was answered. For the reconciler's configuration. */
#pragma once

#include "reconcile/reconcile.h"

reconcile_read_scaling azure_read_later_set;
