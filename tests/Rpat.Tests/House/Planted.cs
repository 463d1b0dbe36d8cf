// A circle that only the body of a closure closes, for HouseTests to find.
namespace Rpat.Tests.House.Upper
{
    internal sealed class High
    {
        public Lower.Low? Below { get; init; }
    }
}

namespace Rpat.Tests.House.Lower
{
    internal sealed class Low
    {
        public Func<int, object> Make { get; } = seed => new Upper.High[seed];
    }
}
