# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
# Completion of energy-meter for fish: its commands, their options, and the command that run is given.

set -l commands run watch record report compare merge sensors doctor setup
set -l none "not __fish_seen_subcommand_from $commands"
complete -c energy-meter -n "$none" -f
complete -c energy-meter -n "$none" -l help -d "show help"
complete -c energy-meter -n "$none" -l version -d "show the version"
complete -c energy-meter -n "$none" -a run -d "measures while a command runs"
complete -c energy-meter -n "$none" -a watch -d "power, energy and carbon live in the terminal"
complete -c energy-meter -n "$none" -a record -d "keeps all readings in a trace"
complete -c energy-meter -n "$none" -a report -d "every report again from a trace"
complete -c energy-meter -n "$none" -a compare -d "which run used less, and whether that stands"
complete -c energy-meter -n "$none" -a merge -d "one summary of those of several processes"
complete -c energy-meter -n "$none" -a sensors -d "what can be measured here"
complete -c energy-meter -n "$none" -a doctor -d "the same with costs, periods and doubts"
complete -c energy-meter -n "$none" -a setup -d "prints how to let others than root read the counters"

function __energy_meter_uses
    __fish_seen_subcommand_from $argv
end

complete -c energy-meter -n "__energy_meter_uses $commands" -l help -d "show help"
set -l carbon "__energy_meter_uses run watch record report"
complete -c energy-meter -n "$carbon" -l location -x -d "whose electricity"
complete -c energy-meter -n "$carbon" -l carbon -x -d "intensity in g CO2e/kWh"
complete -c energy-meter -n "$carbon" -l pue -x -d "of the data centre"
complete -c energy-meter -n "$carbon" -l price -x -d "of the energy, per kWh"
complete -c energy-meter -n "$carbon" -l embodied -x -d "of making the machine, kg/years"
set -l measure "__energy_meter_uses run watch record"
complete -c energy-meter -n "$measure" -l interval -x -d "seconds"
complete -c energy-meter -n "$measure" -l cpu-tdp -x -d "watts of one CPU"
complete -c energy-meter -n "$measure" -l gpu-tdp -x -d "watts of one GPU"
complete -c energy-meter -n "$measure" -l gpus -x -a "visible all local_rank" -d "which GPUs"
set -l machine "__energy_meter_uses run watch record sensors doctor"
complete -c energy-meter -n "$machine" -l channels -x -d "count or leave out"
complete -c energy-meter -n "$machine" -l file -r -d "what another meter writes"
complete -c energy-meter -n "__energy_meter_uses watch sensors doctor" -l replay -r -d "a trace in the place of this machine"
complete -c energy-meter -n "$machine" -l root -r -d "a tree like /, or a recorded machine"
complete -c energy-meter -n "$machine" -l as-user -d "as an ordinary user could read it"
complete -c energy-meter -n "__energy_meter_uses run record report" -s o -l output -r -d "write there"
complete -c energy-meter -n "__energy_meter_uses run watch report compare merge sensors doctor" -l json -d "print JSON"
complete -c energy-meter -n "__energy_meter_uses run report" -l csv -d "print CSV"
complete -c energy-meter -n "__energy_meter_uses run report" -l format -x -a "text json csv model-card boamps" -d "of the result"
complete -c energy-meter -n "__energy_meter_uses run record" -s q -l quiet -d "print no result"
complete -c energy-meter -n "__energy_meter_uses run" -l trace -r -d "keep all readings"
complete -c energy-meter -n "__energy_meter_uses run" -s r -l repeat -x -d "run it so often"
complete -c energy-meter -n "__energy_meter_uses run" -a "(__fish_complete_subcommand --fcs-skip=2)"
complete -c energy-meter -n "__energy_meter_uses watch record" -l for -x -d "end by itself"
complete -c energy-meter -n "__energy_meter_uses report" -l from -x -d "begin of a part"
complete -c energy-meter -n "__energy_meter_uses report" -l to -x -d "end of a part"
complete -c energy-meter -n "__energy_meter_uses compare doctor" -l force -d "do it all the same"
complete -c energy-meter -n "__energy_meter_uses doctor" -l save -r -d "record the machine"
complete -c energy-meter -n "__energy_meter_uses setup" -l print -d "print the commands"
