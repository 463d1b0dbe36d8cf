using System.Collections.Concurrent;
using System.Reflection;
using System.Reflection.Emit;
using Rpat.Ilgpu.Emulator.Execution;

namespace Rpat.Ilgpu.Emulator.Fibres;

/// <summary>Tells which methods may put a thread to sleep: the collectives, and whatever calls one.</summary>
internal static class Suspension
{
    private static readonly ConcurrentDictionary<MethodBase, bool> s_known = [];

    /// <summary>The collective that a method stands for, or null.</summary>
    public static CollectiveAttribute? Collective(MethodBase method) =>
        method.Module == typeof(Suspension).Module ? method.GetCustomAttribute<CollectiveAttribute>() : null;

    /// <summary>Whether a method must be translated.</summary>
    public static bool MaySleep(MethodBase method) => MaySleep(method, []);

    /// <summary>The method that a call reaches, a constraint taken into account.</summary>
    public static MethodBase Target(MethodBase called, Type? constraint)
    {
        if (constraint is not { IsValueType: true } || called.DeclaringType is not { IsInterface: true } || called is not MethodInfo info) return called;
        var definition = info.IsGenericMethod ? info.GetGenericMethodDefinition() : info;
        var map = constraint.GetInterfaceMap(called.DeclaringType);
        int place = Array.IndexOf(map.InterfaceMethods, definition);
        if (place < 0 || map.TargetMethods[place].DeclaringType is { IsInterface: true }) return called;
        var target = map.TargetMethods[place];
        return info.IsGenericMethod ? target.MakeGenericMethod(info.GetGenericArguments()) : target;
    }

    private static bool MaySleep(MethodBase method, HashSet<MethodBase> visiting)
    {
        if (method.Module == typeof(Suspension).Module) return Collective(method) is not null;
        if (method.Module == typeof(object).Module || method.GetMethodBody() is null) return false;
        if (s_known.TryGetValue(method, out bool known)) return known;
        if (!visiting.Add(method)) return false;
        bool result = Calls(method).Any(called => Collective(called) is not null || MaySleep(called, visiting));
        return s_known[method] = result;
    }

    private static IEnumerable<MethodBase> Calls(MethodBase method)
    {
        Type? constraint = null;
        foreach (var instruction in Instruction.Read(method))
        {
            if (instruction.Operand is MethodBase called && instruction.Code.FlowControl == FlowControl.Call) yield return Target(called, constraint);
            constraint = instruction.Code == OpCodes.Constrained ? (Type)instruction.Operand! : null;
        }
    }
}
