/* SPDX-License-Identifier: Apache-2.0
 * Private to reconcile/: the tick of machine policies. */
#pragma once

struct reconciler;

/* Wakes the policies whose next check or scheduled time has come. Opens a view. */
void wake_due_machine_policies(struct reconciler *r);
