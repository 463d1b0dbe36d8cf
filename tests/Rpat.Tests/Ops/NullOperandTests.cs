using System.Reflection;

namespace Rpat.Tests.Ops;

/// <summary>An op names the tensor, parameter or labels that are null; what it may do without is nullable.</summary>
public sealed class NullOperandTests : IDisposable
{
    private static readonly NullabilityInfoContext _nullability = new();

    private readonly Device _device = Device.Cpu(1);

    public void Dispose() => _device.Dispose();

    [Fact]
    public void EveryOpRefusesWhatIsNull()
    {
        (MethodInfo Op, ParameterInfo Operand)[] cases =
        [
            .. from assembly in new[] { typeof(Tape).Assembly, typeof(Network).Assembly, typeof(PgdAttack).Assembly }
               from type in assembly.GetExportedTypes().Where(type => type is { IsAbstract: true, IsSealed: true })
               from op in type.GetMethods(BindingFlags.Public | BindingFlags.Static)
               where !op.ContainsGenericParameters && op.GetParameters() is [{ ParameterType: var first }, ..] && first == typeof(Tape)
               from operand in op.GetParameters().Skip(1).Where(IsNeeded)
               select (op, operand),
        ];
        Assert.InRange(cases.Length, 60, int.MaxValue);
        Assert.All(cases, one =>
        {
            object?[] arguments =
                [.. one.Op.GetParameters().Select(p => p == one.Operand ? null : p.HasDefaultValue ? p.DefaultValue : Of(p))];
            var error = Assert.Throws<TargetInvocationException>(() => one.Op.Invoke(null, arguments)).InnerException;
            Assert.True(error is ArgumentNullException or ShapeException,
                $"{one.Op.DeclaringType}.{one.Op.Name}: {one.Operand.Name}: {error}");
        });
    }

    private static bool IsNeeded(ParameterInfo p) => (typeof(Tensor).IsAssignableFrom(p.ParameterType) || p.ParameterType == typeof(Labels))
        && _nullability.Create(p).WriteState == NullabilityState.NotNull;

    private object? Of(ParameterInfo p) => p.ParameterType switch
    {
        { IsValueType: true } type => Activator.CreateInstance(type),
        var type when type == typeof(Tape) => new Tape(_device),
        var type when type == typeof(Tensor) => Tensor.Create(_device, new Shape(2, 4)),
        var type when type == typeof(Labels) => new Labels(_device, 2),
        _ => null,
    };
}
