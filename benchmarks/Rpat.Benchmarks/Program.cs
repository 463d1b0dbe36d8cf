using Rpat.Benchmarks;

return args switch
{
    ["peer", .. var rest] => Peer.Run(PeerOptions.Parse(rest), Console.In, Console.Out),
    ["conv", .. var rest] => ConvRoofline.Run(ConvOptions.Parse(rest), Console.Out),
    ["speed", .. var rest] => StepSpeed.Run(PeerOptions.Parse(rest), Console.Out),
    ["profile", .. var rest] => StepProfile.Run(PeerOptions.Parse(rest), Console.Out),
    _ => Suites.Run(args),
};
