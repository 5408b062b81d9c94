"""The benchmark driver's arithmetic and its page, on made-up blocks: no peer, no clock."""
import pathlib
import re
import unittest
import unittest.mock

import cases
import machine
import measure
import page
import reports
import sweep
import words


def pair(ours=1.0, theirs=2.0, spins=(10.0, 10.0, 10.0), foreign=0.0, core_s=1.0):
    return measure.Pair(ours_us=ours, theirs_us=theirs, spins=list(spins), foreign_s=foreign, core_s=core_s)


class Pairs(unittest.TestCase):
    def test_the_order_is_a_b_b_a(self):
        order = "".join("AB" if measure.weft_first(i) else "BA" for i in range(4))
        self.assertEqual(order, "ABBAABBA")

    def test_the_median_is_of_ratios_and_not_of_times(self):
        # The machine is twice as slow during the second pair: both peers' times double, the ratio stays.
        found = measure.summary([pair(1, 2), pair(2, 4), pair(3, 5)], 10.0, 3)
        self.assertEqual((found["ratio"], found["ratio_min"], found["ratio_max"]), (0.5, 0.5, 0.6))
        self.assertEqual((found["weft_us"], found["peer_us"]), (2, 4))
        self.assertEqual((found["pairs"], found["dropped"], found["disturbed"]), (3, 0, 0))

    def test_a_slow_spin_anywhere_disturbs(self):
        for spins in ((10.6, 10, 10), (10, 10.6, 10), (10, 10, 10.6)):
            self.assertGreater(pair(spins=spins).disturbance(10.0), 1)
        self.assertLessEqual(pair(spins=(10.4, 10.4, 10.4)).disturbance(10.0), 1)

    def test_other_processes_disturb(self):
        self.assertGreater(pair(foreign=0.06).disturbance(10.0), 1)
        self.assertLessEqual(pair(foreign=0.05).disturbance(10.0), 1)
        # In a short block the system's counting is too coarse to tell.
        self.assertLessEqual(pair(foreign=0.03, core_s=0.2).disturbance(10.0), 1)

    def test_disturbed_pairs_are_dropped(self):
        found = measure.summary([pair(1, 2), pair(9, 2, spins=(10, 15, 10)), pair(1, 2)], 10.0, 2)
        self.assertEqual((found["ratio_max"], found["dropped"], found["disturbed"]), (0.5, 1, 0))

    def test_the_least_disturbed_fill_up_and_are_counted(self):
        found = measure.summary([pair(9, 2, foreign=0.9), pair(3, 2, foreign=0.1), pair(1, 2)], 10.0, 2)
        self.assertEqual((found["ratio_min"], found["ratio_max"], found["disturbed"]), (0.5, 1.5, 1))

    def test_disturbed_pairs_are_run_again(self):
        made = []

        def run(number):
            made.append(number)
            return pair(foreign=0.9 if number in (0, 2) else 0)
        self.assertEqual(len(measure.collect(run, lambda: 10.0, wanted=2, attempts=10)), 4)
        self.assertEqual(made, [0, 1, 2, 3])

    def test_pairs_by_processor_time_all_count(self):
        made = measure.collect(lambda number: measure.Pair(1 + number, 2), lambda: float("inf"), wanted=3, attempts=9)
        found = measure.summary(made, float("inf"), 3)
        self.assertEqual((found["ratio"], found["pairs"], found["dropped"], found["disturbed"]), (1.0, 3, 0, 0))

    def test_running_again_ends(self):
        self.assertEqual(len(measure.collect(lambda number: pair(foreign=0.9), lambda: 10.0, wanted=2, attempts=6)), 6)

    def test_a_better_best_judges_earlier_pairs_anew(self):
        best = [10.0, 10.0, 9.0, 9.0, 9.0, 9.0]  # after two pairs the loop turns out to take 9 ms
        run = lambda number: pair(spins=(10, 10, 10) if number < 2 else (9, 9, 9))
        self.assertEqual(len(measure.collect(run, lambda: best[0] if len(best) == 1 else best.pop(0), wanted=2, attempts=9)), 4)


class Losses(unittest.TestCase):
    def test_the_difference_is_relative_to_the_largest(self):
        self.assertAlmostEqual(measure.loss_difference([4.0, 1.0], [4.0, 1.2]), 0.05)

    def test_a_loss_that_is_no_number_is_no_match(self):
        nan = float("nan")
        for ours, theirs in (([1.0, nan], [1.0, 1.0]), ([1.0, 1.0], [nan, 1.0]), ([nan], [nan])):
            self.assertEqual(measure.loss_difference(ours, theirs), float("inf"))

    def test_curves_of_other_lengths_are_refused(self):
        with self.assertRaises(ValueError):
            measure.loss_difference([1.0], [1.0, 1.0])


    def test_buffers_are_compared_each_by_its_own_size(self):
        self.assertAlmostEqual(measure.buffers_difference({"mean": 0.11, "count": 100}, {"mean": 0.10, "count": 100}), 0.1)
        self.assertEqual(measure.buffers_difference({}, {}), 0)

    def test_missing_buffers_are_no_match(self):
        for ours, theirs in (({"mean": 1}, {}), ({}, {"mean": 1}), ({"mean": 1}, {"mean": float("nan")})):
            self.assertEqual(measure.buffers_difference(ours, theirs), float("inf"))


class Cases(unittest.TestCase):
    def layers(self, shape, *layers):
        return cases.Case("net", {"net": "layers", "input": shape, "layers": layers, "batch": 4, "optimizer": "adam"})

    def test_work_and_state_of_linear_layers(self):
        case = self.layers([3], "linear 3 5", "relu", "linear 5 2")
        self.assertEqual(case.net.shapes, {"0.weight": (5, 3), "0.bias": (5,), "2.weight": (2, 5), "2.bias": (2,)})
        self.assertEqual(case.parameters, 3 * 5 + 5 + 5 * 2 + 2)
        self.assertEqual(case.state_bytes, 3 * 4 * case.parameters)
        # Forward and two gradients of each product, but for the gradient of the batch.
        self.assertEqual(case.flops, 2 * 4 * (2 * 3 * 5 + 3 * 5 * 2))

    def test_work_of_convolutions(self):
        # 7 x 9 images become 5 x 7, then stay.
        case = self.layers([3, 7, 9], "conv 3 5 3 0", "relu", "conv 5 2 3 1", "flatten", "linear 70 6")
        self.assertEqual(case.net.shapes["2.weight"], (2, 5, 3, 3))
        self.assertEqual(case.flops, 2 * 4 * (2 * 3 * 5 * 9 * 35 + 3 * 5 * 2 * 9 * 35 + 3 * 70 * 6))
        self.assertEqual(case.net.classes, 6)

    def test_batch_norm_has_parameters_and_no_products(self):
        case = self.layers([3], "batch_norm 3", "linear 3 2")
        self.assertEqual(case.net.shapes, {"0.weight": (3,), "0.bias": (3,), "1.weight": (2, 3), "1.bias": (2,)})
        # Its parameters need the gradient of what the product reads.
        self.assertEqual(case.flops, 3 * 2 * 4 * 3 * 2)

    def test_pooling_shrinks_what_follows(self):
        case = self.layers([1, 7, 9], "conv 1 2 3 1", "max_pool 2", "flatten", "linear 24 3")
        self.assertEqual(case.flops, 2 * 4 * (2 * 2 * 9 * 63 + 3 * 24 * 3))

    def test_work_and_state_of_a_residual_net(self):
        case = cases.Case("net", {"net": "resnet", "input": [3, 8, 8], "stem": {"kernel": 3, "stride": 1}, "channels": [4, 6], "blocks": [1, 1],
                                  "classes": 5, "batch": 2, "optimizer": "sgd"})
        weights = {"stem": (4, 3, 3, 3), "blocks.0.conv1": (4, 4, 3, 3), "blocks.0.conv2": (4, 4, 3, 3), "blocks.1.conv1": (6, 4, 3, 3),
                   "blocks.1.conv2": (6, 6, 3, 3), "blocks.1.around": (6, 4, 1, 1)}
        for name, shape in weights.items():
            self.assertEqual(case.net.shapes[f"{name}.weight"], shape)
            self.assertEqual(case.net.shapes[f"{name}_norm.bias"], shape[:1])
        self.assertEqual(len(case.net.shapes), 3 * len(weights) + 2)
        # The first block's images are 8 x 8, the second's 4 x 4.
        places = 64 * (2 * 108 + 3 * 2 * 144) + 16 * 3 * (216 + 324 + 24)
        self.assertEqual(case.flops, 2 * 2 * (places + 3 * 6 * 5))

    def test_a_residual_net_of_bottlenecks_is_the_published_one(self):
        net = {case.name: case for case in cases.table()}["resnet50"]
        self.assertEqual(net.parameters, 25557032)  # torchvision's resnet50
        shapes = net.net.shapes
        self.assertEqual([shapes[f"blocks.3.{name}.weight"][:2] for name in ("conv1", "conv2", "conv3", "around")], [(128, 256), (128, 128), (512, 128), (512, 256)])
        self.assertIn("blocks.0.around.weight", shapes)  # of stride 1, to more channels
        self.assertNotIn("blocks.1.around.weight", shapes)
        # 4.09e9 multiply-adds forward for an image; three passes, of the first convolution two.
        stem = 3 * 64 * 49 * 112 ** 2
        self.assertAlmostEqual((net.flops / 2 / 8 + stem) / 3 / 1e9, 4.09, places=2)

    def test_work_and_state_of_attention(self):
        case = cases.Case("net", {"net": "gpt", "layers": 2, "width": 8, "heads": 2, "tokens": 5, "vocabulary": 7, "batch": 3, "optimizer": "adamw"})
        block = (8 + 8) + (24 * 8 + 24) + (8 * 8 + 8) + (8 + 8) + (32 * 8 + 32) + (8 * 32 + 8)
        self.assertEqual(case.parameters, 7 * 8 + 5 * 8 + 2 * block + (8 + 8) + 7 * 8)
        self.assertEqual(case.state_bytes, 3 * 4 * case.parameters)
        linear = 3 * 5 * (2 * (24 * 8 + 8 * 8 + 2 * 32 * 8) + 7 * 8)
        attention = 3 * 2 * 2 * 8 * (1 + 2 + 3 + 4 + 5)  # each token meets itself and those before it, in scores and in the mix
        self.assertEqual(case.flops, 3 * 2 * (linear + attention))

    def test_work_and_state_of_a_recurrent_net(self):
        case = cases.Case("net", {"net": "lstm", "layers": 2, "width": 8, "tokens": 5, "vocabulary": 7, "batch": 3, "optimizer": "adamw"})
        self.assertEqual(case.parameters, 7 * 8 + 2 * (2 * 32 * 8 + 2 * 32) + 7 * 8 + 7)
        self.assertEqual(case.flops, 3 * 2 * 3 * 5 * (2 * 2 * 32 * 8 + 7 * 8))

    def test_a_gru_has_three_gates_for_four(self):
        table = {case.name: case for case in cases.table()}
        self.assertEqual(table["gru"].net.shapes["gru.weight_hh_l1"], (384, 128))
        heads = 3 * 2 * 32 * 64 * 65 * 128
        self.assertEqual(4 * (table["gru"].flops - heads), 3 * (table["lstm"].flops - heads))

    def test_the_table_holds_what_the_peers_read(self):
        for case in cases.table():
            self.assertLessEqual({"net", "loss", "optimizer", "lr", "batch", "about"}, set(case.spec), case.name)

    def test_a_case_like_another(self):
        table = {case.name: case for case in cases.table()}
        plain, low = table["gpt"].spec, table["gpt_bf16"].spec
        self.assertEqual({key for key in low if low[key] != plain.get(key)}, {"autocast", "about"})
        self.assertEqual(low["autocast"], "bf16")
        self.assertIn("`gpt`", low["about"])
        self.assertEqual(table["gpt_bf16"].flops, table["gpt"].flops)

    def test_a_case_like_another_in_another_size(self):
        table = {case.name: case for case in cases.table()}
        self.assertEqual(table["lstm_512"].flops, 8 * table["lstm"].flops)
        self.assertEqual(table["lstm_512"].parameters, table["lstm"].parameters)
        self.assertIn("512", table["lstm_512"].spec["about"])

    def test_the_floor(self):
        floor = measure.floor(flops=2e6, gflops=100.0, state_bytes=5e5, gbs=10.0)
        self.assertEqual(floor, {"products_us": 20.0, "state_us": 100.0})
        self.assertIsNone(measure.floor(flops=2e6, gflops=None, state_bytes=5e5, gbs=10.0)["products_us"])


class Machine(unittest.TestCase):
    def test_one_thread_per_physical_core_as_far_as_they_go(self):
        siblings = {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}
        with unittest.mock.patch.object(machine.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}), \
                unittest.mock.patch.object(machine, "read", lambda path: siblings[int(re.search(r"cpu(\d)/", path)[1])]):
            self.assertEqual([machine.choose_cores(threads) for threads in (1, 2, 3)], [[0], [0, 1], [0, 1, 2]])

    def test_busy_time_is_the_chosen_cores_and_counts_what_the_host_took(self):
        fields = [1, 2, 4, 1000, 1000, 8, 16, 32, 1000, 1000]  # user nice system idle iowait irq softirq steal guest guest_nice
        line = " ".join(map(str, fields))
        text = f"cpu  {line}\ncpu0 {line}\ncpu1 {line}\ncpu10 {line}\nintr 5\n"
        with unittest.mock.patch.object(machine, "read", lambda path: text):
            self.assertAlmostEqual(machine.busy_seconds([0, 10]), 2 * 63 / machine.TICKS)

    def test_more_threads_than_cores_are_refused(self):
        with self.assertRaises(SystemExit):
            machine.choose_cores(100000)


def report(**changes):
    times = {"weft_us": 12.0, "peer_us": 24.0, "ratio": 0.5, "ratio_min": 0.4567, "ratio_max": 0.61, "pairs": 4, "dropped": 1,
             "disturbed": 0, "loss_difference": 1.2e-7}
    start = {"first_step_s": 0.25, "build_s": 0.0213, "idle_bytes": 4e6, "resident_bytes": 75.2e6, "peak_bytes": 80e6}
    mode = {"peer": "torch", "allocator": "tuned", "mode": "step_cpp"}
    case = {"name": "net", "about": "A net.", "parameters": 7, "flops": 1e6, "state_bytes": 28, "gbs": 10.0,
            "floor": {"products_us": 9.0, "state_us": 1.0},
            "weft": {"calls": ["a", "b"], "planned_bytes": 1536, "first_loss": 2.3, "last_loss": 0.1,
                     "profile": [{"call": "matmul " + 99 * "x" + "  # ../a.cpp:1", "us": 8.0, "waiting_us": 2.0, "flops": 1e6, "bytes": 4e4},
                                 {"call": "kernel", "us": 2.0, "waiting_us": 0.0, "flops": 0, "bytes": 0}]},
            "survey": [mode | times, mode | {"mode": "eager", "error": "no | such thing"}],
            "finals": [mode | times | changes],
            "startup": [{"peer": peer, "cold": start, "warm": start} for peer in ("weft", "torch")]}
    return {"date": "2020-02-02", "commit": "abc", "quick": False, "threads": 2, "steps": 100, "gflops": 200.0, "vector_bits": 256, "seconds": 90,
            "machine": {"cpu": "A CPU", "family": "1", "model": "2", "cores": 4, "used_cores": [0, 2], "isa": "AVX2", "caches": {"L1": "32K"},
                        "virtual": True, "memory_bytes": 8e9, "system": "A system", "kernel": "6.0"},
            "versions": {"weft": {"weft": "0.1.0"}},
            "effort": {"block_s": 0.5, "survey_pairs": 2, "pairs": 4, "starts": 1},
            "tolerances": {"spin": 0.05, "foreign": 0.05, "attempts": 3}, "cases": [case]}


class Cliffs(unittest.TestCase):
    def test_a_smooth_curve_has_none(self):
        self.assertEqual(sweep.cliffs([10 + n for n in range(130)]), [])

    def test_one_slow_point_is_one(self):
        times = [10 + n for n in range(130)]
        times[40] *= 2
        self.assertEqual([found[0] for found in sweep.cliffs(times)], [41])

    def test_points_slower_than_a_larger_one_are(self):
        times = [100.0 if n % 16 else 50.0 for n in range(1, 65)]  # only multiples of 16 are fast
        found = sweep.cliffs(times)
        self.assertEqual(found[0][0], 1)
        self.assertIn((33, 2.0, "48"), found)
        self.assertNotIn(16, [extent for extent, *_ in found])


class Page(unittest.TestCase):
    def test_numbers(self):
        self.assertEqual([words.digits(x) for x in (0, 0.0213456, 1.2345, 23.456, 345.6, 12345.6, None)],
                         ["0.00", "0.0213", "1.23", "23.5", "346", "12346", "-"])
        self.assertEqual([words.size(x) for x in (64, 1536, 75.2e6, 25e9)], ["64 bytes", "1.54 kB", "75.2 MB", "25.0 GB"])

    def test_the_figures_stand_on_the_page(self):
        text = page.render(report())
        for part in ("| `net` | 12.0 us | 0.500 | 75 % | - | 1.00 |", "0.500 (0.457 to 0.610) | 4, 1 dropped | 1.2e-07", "weft is 2.00 times as fast as PyTorch",
                     "2 calls", "| 8.00 | 80 % | 2.00 | 125 | 5.00 | matmul " + 90 * "x" + "... at a.cpp:1 |", "1.54 kB", "21.3 ms", "75.2 MB", "no / such thing", "in none of the figures"):
            self.assertIn(part, text)
        self.assertNotIn("not still", text)
        self.assertNotIn("quick run (", text)

    def test_every_row_of_a_table_has_its_columns(self):
        width = None
        for line in page.render(report()).splitlines():
            columns = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
            if width is not None and columns is not None:
                self.assertEqual(columns, width, line)
            width = columns

    def test_where_weft_is_behind(self):
        text = page.render(report(ratio=1.25))
        self.assertIn("weft is slower", text)
        self.assertIn("`net`: a step takes 1.25 times as long as PyTorch's", text)
        self.assertIn("reaches only 30 % of the floor", page.render(report(weft_us=30.0)))

    def test_a_memory_format_has_words(self):
        text = page.render(report(mode="step_cpp_channels_last"))
        self.assertIn("`torch.compile` of the whole step, `cpp_wrapper`, channels last, tuned allocator", text)

    def test_one_thread_stands_beside_all(self):
        self.assertIn("| `net` | 12.0 us | 0.500 | 75 % | - | 1.00 |", page.render(report()))
        alone = report()
        times = alone["cases"][0]["finals"][0] | {"peer_us": 22.0, "ratio": 0.5}
        alone["cases"][0]["one_thread"] = times | {"same_losses": True}
        self.assertIn("| `net` | 12.0 us | 0.500 | 75 % | 2.00 | 1.00 |", page.render(alone))
        self.assertIn("| weft | the same on one thread | 22.0 | 0.500 (0.457 to 0.610) | 4, 1 dropped | 0 |", page.render(alone))
        alone["cases"][0]["one_thread"]["same_losses"] = False
        self.assertIn("one thread and several do not give the same losses", page.render(alone))

    def test_memory_is_beside_pytorchs(self):
        half = report()
        ours, theirs = half["cases"][0]["startup"]
        ours["warm"] = dict(ours["warm"], peak_bytes=theirs["warm"]["peak_bytes"] / 4)
        self.assertIn("| 75 % | - | 0.250 |", page.render(half))
        half["cases"][0]["startup"] = [ours]
        self.assertIn("| 75 % | - | - |", page.render(half))

    def test_strict_stands_beside_the_peer(self):
        strict = report()
        final = strict["cases"][0]["finals"][0]
        final["strict"] = dict(final, weft_us=20.0, peer_us=25.0, ratio=0.8)
        text = page.render(strict)
        self.assertIn("as PyTorch (`step_cpp`, tuned allocator), 1.25 times with `strict`", text)
        self.assertIn("|  | beside weft's `strict`, which takes 20.0 us | 25.0 | 0.800 (0.457 to 0.610) | 4, 1 dropped |  |", text)

    def test_a_disturbed_session_says_so(self):
        self.assertIn("2 of the 4 pairs of blocks", page.render(report(disturbed=2)))

    def test_processor_time_is_said(self):
        wall, cpu = page.render(report()), page.render(report() | {"clock": "cpu"})
        self.assertIn("**Undisturbed.**", wall)
        self.assertNotIn("processor's", wall)
        self.assertNotIn("**Undisturbed.**", cpu)
        self.assertIn("**Processor time.**", cpu)
        self.assertIn("Times are the processor's", cpu)

    def test_slow_cases_are_named(self):
        slow = report()
        slow["cases"][0] |= {"steps": 10, "pairs": 6}
        self.assertIn("Of `net`, whose steps take long, only 10 steps are compared, in one short pair and at most 6 long ones.", page.render(slow))
        self.assertIn("over the first 10 steps", page.render(slow))

    def test_other_machines_stay_on_the_page(self):
        here, there = report(), report()
        there["machine"] = there["machine"] | {"model": "other"}
        here["others"] = reports.others(there, here)
        text = page.render(here)
        self.assertIn("model other", text)
        self.assertEqual(text.count("| `net` | 12.0 us | 0.500 |"), 2)
        # A later run on either machine takes the place of that one's alone.
        self.assertEqual(reports.others(here, report()), here["others"])
        self.assertEqual([one["identity"] for one in reports.others(here, there)], [reports.identity(here)])
        self.assertEqual(reports.others({}, here), [])

    def test_a_case_without_peers_says_so(self):
        alone = report()
        alone["cases"][0]["finals"] = []
        self.assertIn("* `net`: beside nothing", page.render(alone))

    def test_a_run_of_some_cases_keeps_the_others(self):
        stored, some = report(), report(weft_us=30.0)
        stored["cases"].append(dict(stored["cases"][0], name="kept"))
        together = reports.with_earlier(stored, some, ["kept", "net", "none"])
        self.assertEqual([case["name"] for case in together], ["kept", "net"])
        self.assertIs(together[1], some["cases"][0])
        for other in (dict(stored, quick=not stored["quick"]), dict(stored, threads=7), {}):
            self.assertEqual(reports.with_earlier(other, some, ["kept", "net"]), some["cases"])

    def test_every_mode_has_words(self):
        for peer, modes in page.MODES.items():
            source = pathlib.Path(__file__).parent / f"{peer}_peer.py"
            if source.exists():
                for mode in modes:
                    self.assertIn(f'"{mode}"', source.read_text())


if __name__ == "__main__":
    unittest.main()
