/* SPDX-License-Identifier: Apache-2.0
 * Launches that are read again after their call was answered. For the reconciler's configuration. */
#pragma once

#include "reconcile/reconcile.h"

reconcile_read_spot ec2_read_later_spot;
reconcile_read_fleet ec2_read_later_fleet;
